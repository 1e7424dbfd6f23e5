#include "operations/conversation_state.hpp"

#include "operations/conversation_sql.hpp"
#include "operations/request_table.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

namespace corbel {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

using clock = std::chrono::steady_clock;
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t most_at_once = 500;
constexpr std::chrono::milliseconds patience{1000};  // of who waits for an answer

conversation_row row_of(const chat_task &task, std::string state) {
  return {.user = task.owner(),
          .conversation = task.conversation_id.empty() ? task.session_id : task.conversation_id,
          .bundle = task.bundle_id,
          .turn = task.turn_id,
          .state = std::move(state)};
}

struct outcome {
  bool changed = false, found = false;
  std::string turn;  // before
};

outcome read(const pg_result &r) {
  outcome o{.changed = r.get<bool>(0, 0), .found = !r.is_null(0, 1), .turn = {}};
  if (!o.found) return o;
  for (const auto &tag : r.get<std::vector<std::string>>(0, 1))
    if (tag.starts_with("conv.turn:")) o.turn = tag.substr(10);
  return o;
}

using word = std::pair<conversation_row, conversation_guard>;
using words = std::vector<word>;

}  // namespace

struct conversation_state::writer : std::enable_shared_from_this<writer> {
  writer(pg_pool p, const std::string &schema, const asio::any_io_executor &executor, log_function l)
      : pool(std::move(p)), sql(schema), log(std::move(l)), pause(executor) {}

  pg_pool pool;
  const conversation_sql sql;
  const log_function log;
  asio::steady_timer pause;
  std::map<std::pair<std::string, std::string>, word> kept;  // by user and conversation: the latest word
  bool made = false, running = false, closed = false, in_trouble = false;
  std::size_t in_statement = 0;
  clock::time_point away_since{};
  std::uint64_t dropped = 0;

  void warn(std::string text) const {
    if (log) log({.level = log_level::warning, .part = "conversations", .text = std::move(text), .fields = {}});
  }

  void say(conversation_row row, conversation_guard guard) {
    if (closed) return;
    auto key = std::pair(row.user, row.conversation);
    auto at = kept.find(key);
    if (at == kept.end() && kept.size() >= most_kept) {
      if (dropped++ % 1000 == 0) warn(fmt::format("{} states wait already: {} dropped so far", kept.size(), dropped));
      return;
    }
    // What takes the place of an unguarded word says it too.
    if (at != kept.end() && at->second.second == conversation_guard::none) guard = conversation_guard::none;
    kept.insert_or_assign(std::move(key), word{std::move(row), guard});
    if (std::exchange(running, true)) return;
    asio::co_spawn(
        pause.get_executor(), [self = shared_from_this()] { return self->run(); }, asio::detached);
  }

  /// Unless something newer was said meanwhile.
  void put_back(words &&said) {
    for (auto &w : said) {
      auto key = std::pair(w.first.user, w.first.conversation);
      const bool unguarded = w.second == conversation_guard::none;
      auto [at, back] = kept.try_emplace(std::move(key), std::move(w));
      if (!back && unguarded) at->second.second = conversation_guard::none;
    }
  }

  asio::awaitable<void> run() {
    auto self = shared_from_this();
    while (!closed && !kept.empty()) {
      words said;
      while (!kept.empty() && said.size() < most_at_once) said.push_back(std::move(kept.extract(kept.begin()).mapped()));
      in_statement = said.size();
      auto failed = co_await write(said);
      in_statement = 0;
      if (!failed) {
        if (std::exchange(in_trouble, false)) warn("PostgreSQL takes states again");
        continue;
      }
      if (failed.is(status::refused) && !failed.may_retry()) {
        dropped += said.size();
        warn(fmt::format("the states of {} conversations were refused and dropped: {}", said.size(), failed.message()));
        continue;
      }
      put_back(std::move(said));
      if (!std::exchange(in_trouble, true)) warn("states are kept and written later: " + failed.message());
      pause.expires_after(500ms);
      co_await pause.async_wait(as_value);
    }
    running = false;
  }

  asio::awaitable<error> write(const words &said) {
    call c{.idempotent = true};
    if (auto failed = co_await make_table(c)) co_return failed;
    auto r = co_await pool.async_query(sql.change_all(said), c, asio::use_awaitable);
    if (!r) co_return r.error();
    for (std::size_t i = 0; i < r->rows(); ++i) {
      const auto &[row, guard] = said[static_cast<std::size_t>(r->get<std::int64_t>(i, 0)) - 1];
      auto made_row = co_await make(row, guard, c);
      if (!made_row) co_return made_row.error();
    }
    co_return error();
  }

  asio::awaitable<error> make_table(call c) {
    if (made) co_return error();
    auto table = co_await pool.async_query(sql.table().idempotent(), c, asio::use_awaitable);
    if (!table) co_return table.error();
    made = true;
    co_return error();
  }

  asio::awaitable<result<outcome>> set(conversation_row row, conversation_guard guard, bool fresh, call c) {
    if (auto failed = co_await make_table(c)) co_return failed;
    if (!fresh) {
      auto r = co_await pool.async_query(sql.change(row, guard), c, asio::use_awaitable);
      if (!r) co_return r.error();
      if (auto o = read(*r); o.found) co_return o;
      co_return co_await make(row, guard, c);
    }
    auto r = co_await pool.async_query(sql.insert(row), c, asio::use_awaitable);
    if (!r) co_return r.error();
    co_return outcome{.changed = true, .found = false, .turn = {}};
  }

  /// The row is missing: made once, whoever else makes it at the same time.
  asio::awaitable<result<outcome>> make(conversation_row row, conversation_guard guard, call c) {
    c.idempotent = false;
    pg_transaction_options plain{.level = pg_transaction_options::isolation::read_committed};
    auto tx = co_await pool.async_begin(plain, c, asio::use_awaitable);
    if (!tx) co_return tx.error();
    auto locked = co_await tx->async_query(sql.lock(row), c, asio::use_awaitable);
    if (!locked) co_return locked.error();
    auto r = co_await tx->async_query(sql.change(row, guard), c, asio::use_awaitable);
    if (!r) co_return r.error();
    auto o = read(*r);
    if (!o.found) {
      auto made_row = co_await tx->async_query(sql.insert(row), c, asio::use_awaitable);
      if (!made_row) co_return made_row.error();
      o.changed = true;
    }
    auto committed = co_await tx->async_commit(c, asio::use_awaitable);
    if (!committed) co_return committed.error();
    co_return o;
  }
};

conversation_state::conversation_state(pg_pool pool, const std::string &tenant, const std::string &project,
                                       asio::any_io_executor executor, log_function log)
    : writer_(std::make_shared<writer>(std::move(pool), request_table::schema(tenant, project), executor, std::move(log))) {}

conversation_state::~conversation_state() {
  writer_->closed = true;
  writer_->pause.cancel();
}

asio::awaitable<conversation_claim> conversation_state::begin(const chat_task &task, bool fresh) {
  auto w = writer_;
  conversation_claim claim;
  if (clock::now() - w->away_since < patience) co_return claim;
  call c{.timeout = patience};
  auto row = row_of(task, "in_progress");
  auto done = co_await w->set(std::move(row), conversation_guard::free, fresh, c);
  if (!done) {
    w->away_since = clock::now();
    w->warn("the state of a conversation was not written: " + done.error().message());
    co_return claim;
  }
  claim.told = true;
  claim.ours = done->changed;
  if (!claim.ours) claim.active_turn = done->turn;
  co_return claim;
}

void conversation_state::started(const chat_task &task) {
  writer_->say(row_of(task, "in_progress"), conversation_guard::none);
}

void conversation_state::ended(const chat_task &task, std::string state) {
  writer_->say(row_of(task, std::move(state)), conversation_guard::same_turn);
}

asio::awaitable<std::size_t> conversation_state::finish(std::chrono::milliseconds timeout) {
  auto w = writer_;
  asio::steady_timer look(w->pause.get_executor());
  const auto end = clock::now() + timeout;
  auto left = [&] { return w->kept.size() + w->in_statement; };
  while (left() != 0 && clock::now() < end) {
    look.expires_after(10ms);
    co_await look.async_wait(as_value);
  }
  w->closed = true;
  w->pause.cancel();
  co_return left();
}

std::uint64_t conversation_state::dropped() const noexcept { return writer_->dropped; }

}  // namespace corbel
