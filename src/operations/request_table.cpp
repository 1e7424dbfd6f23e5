#include "operations/request_table.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

namespace corbel {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_at_once = 500;
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

pg_time_point now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

pg_time_point moment(double seconds) {
  return pg_time_point(std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6)));
}

std::string quoted(const std::string &name) {
  std::string out = "\"";
  for (char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

struct taken {
  std::string session, conversation, event, user_type;
  pg_time_point at;
};
struct outcome {
  std::string state;
  std::int64_t words;
  pg_time_point at;
};

}  // namespace

struct request_table::writer : std::enable_shared_from_this<writer> {
  writer(pg_pool p, const std::string &schema_name, std::string who, const asio::any_io_executor &executor, log_function l)
      : pool(std::move(p)), schema(quoted(schema_name)), instance(std::move(who)), log(std::move(l)), pause(executor) {}

  pg_pool pool;
  const std::string schema, instance;
  const log_function log;
  asio::steady_timer pause;
  // By task, so that each is in a statement once, and all processes lock rows in the same order.
  std::map<std::string, taken> accepted;
  std::map<std::string, outcome> ended;
  bool made = false, running = false, closed = false, in_trouble = false;
  std::size_t in_statement = 0;
  std::uint64_t dropped = 0;

  std::size_t kept() const noexcept { return accepted.size() + ended.size() + in_statement; }

  bool has_room() {
    if (closed || kept() < most_kept) return !closed;
    if (dropped++ % 1000 == 0)
      warn(fmt::format("{} rows wait already, the most that may: {} dropped so far", kept(), dropped));
    return false;
  }

  void warn(std::string text) const {
    if (log) log({.level = log_level::warning, .part = "requests", .text = std::move(text), .fields = {}});
  }

  void wake() {
    if (std::exchange(running, true)) return;
    asio::co_spawn(
        pause.get_executor(), [self = shared_from_this()] { return self->run(); }, asio::detached);
  }

  asio::awaitable<void> run() {
    auto self = shared_from_this();
    while (!closed && (!accepted.empty() || !ended.empty())) {
      if (!made) {
        made = co_await write(table(), 0);
        continue;
      }
      if (!accepted.empty()) co_await write_some(accepted);
      if (!closed && !ended.empty()) co_await write_some(ended);
    }
    running = false;
  }

  /// One statement with the first rows of a side; what could not be written for now goes back, unless it was said anew.
  template <class Row>
  asio::awaitable<void> write_some(std::map<std::string, Row> &side) {
    auto end = side.begin();
    std::advance(end, std::min(side.size(), most_at_once));
    std::map<std::string, Row> rows;
    for (auto it = side.begin(); it != end;) rows.insert(side.extract(it++));
    auto statement = insert(rows);
    in_statement = rows.size();
    const bool done = co_await write(std::move(statement), rows.size());
    if (!done) side.merge(rows);
    in_statement = 0;
  }

  /// False when it is to be tried again, after a pause. A refusal that no repetition mends drops the rows.
  asio::awaitable<bool> write(pg_statement statement, std::size_t rows) {
    statement.idempotent();
    auto r = co_await pool.async_query(std::move(statement), asio::use_awaitable);
    if (r) {
      if (std::exchange(in_trouble, false)) warn("PostgreSQL takes rows again");
      co_return true;
    }
    const bool again = rows == 0 || !r.error().is(status::refused) || (r.error().flags() & error::retriable) != 0;
    if (!again) {
      dropped += rows;
      warn(fmt::format("{} rows were refused and dropped: {}", rows, r.error().message()));
      co_return true;
    }
    if (!std::exchange(in_trouble, true)) warn(fmt::format("rows are kept and written later: {}", r.error().message()));
    pause.expires_after(500ms);
    co_await pause.async_wait(as_value);
    co_return false;
  }

  pg_statement table() const {
    return pg_statement(fmt::format(R"(DO $do$ BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('corbel requests'));
  CREATE SCHEMA IF NOT EXISTS {0};
  CREATE TABLE IF NOT EXISTS {0}.requests (
    task_id text PRIMARY KEY, session_id text, conversation_id text, event_id text, user_type text, instance text,
    received_at timestamptz, state text NOT NULL DEFAULT 'accepted', worker text, ended_at timestamptz, words bigint);
  CREATE INDEX IF NOT EXISTS requests_received_at ON {0}.requests (received_at);
END $do$)",
                                    schema))
        .unprepared();
  }

  pg_statement insert(const std::map<std::string, taken> &rows) const {
    std::vector<std::string> id, session, conversation, event, type;
    std::vector<pg_time_point> at;
    for (auto &[task, r] : rows) {
      id.push_back(task), session.push_back(r.session), conversation.push_back(r.conversation), event.push_back(r.event);
      type.push_back(r.user_type), at.push_back(r.at);
    }
    return pg_statement(
        fmt::format(
            "INSERT INTO {}.requests (task_id, session_id, conversation_id, event_id, user_type, received_at, instance)"
            " SELECT *, $7::text FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],"
            " $6::timestamptz[]) ON CONFLICT (task_id) DO UPDATE SET session_id = EXCLUDED.session_id,"
            " conversation_id = EXCLUDED.conversation_id, event_id = EXCLUDED.event_id,"
            " user_type = EXCLUDED.user_type, received_at = EXCLUDED.received_at, instance = EXCLUDED.instance",
            schema),
        id, session, conversation, event, type, at, instance);
  }

  pg_statement insert(const std::map<std::string, outcome> &rows) const {
    std::vector<std::string> id, state;
    std::vector<std::int64_t> words;
    std::vector<pg_time_point> at;
    for (auto &[task, r] : rows) {
      id.push_back(task), state.push_back(r.state), words.push_back(r.words), at.push_back(r.at);
    }
    return pg_statement(fmt::format("INSERT INTO {}.requests (task_id, state, words, ended_at, worker)"
                                    " SELECT *, $5::text FROM unnest($1::text[], $2::text[], $3::int8[], $4::timestamptz[])"
                                    " ON CONFLICT (task_id) DO UPDATE SET state = EXCLUDED.state, words = EXCLUDED.words,"
                                    " ended_at = EXCLUDED.ended_at, worker = EXCLUDED.worker",
                                    schema),
                        id, state, words, at, instance);
  }
};

request_table::request_table(pg_pool pool, const std::string &tenant, const std::string &project, std::string instance,
                             asio::any_io_executor executor, log_function log)
    : writer_(std::make_shared<writer>(std::move(pool), schema(tenant, project), std::move(instance), executor,
                                       std::move(log))) {}

request_table::~request_table() {
  writer_->closed = true;
  writer_->pause.cancel();
}

void request_table::accepted(const chat_task &task) {
  if (!writer_->has_room()) return;
  writer_->accepted[task.task_id] = {task.session_id, task.conversation_id, task.event_id, task.user_type,
                                     moment(task.created_at)};
  writer_->wake();
}

void request_table::ended(const std::string &task_id, std::string state, std::int64_t words) {
  if (!writer_->has_room()) return;
  writer_->ended[task_id] = {std::move(state), words, now()};
  writer_->wake();
}

asio::awaitable<std::size_t> request_table::finish(std::chrono::milliseconds timeout) {
  auto w = writer_;
  asio::steady_timer look(w->pause.get_executor());
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (w->kept() != 0 && std::chrono::steady_clock::now() < end) {
    look.expires_after(10ms);
    co_await look.async_wait(as_value);
  }
  w->closed = true;
  w->pause.cancel();
  co_return w->kept();
}

std::uint64_t request_table::dropped() const noexcept { return writer_->dropped; }

std::string request_table::schema(const std::string &tenant, const std::string &project) {
  constexpr std::string_view prefix = "kdcube_";
  std::string name = tenant + '_' + project;
  if (!name.starts_with(prefix)) name.insert(0, prefix);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == ' '; }, '_');
  return name;
}

}  // namespace corbel
