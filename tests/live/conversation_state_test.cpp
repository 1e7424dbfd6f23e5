/// A conversation's state row: one turn at a time begins, late words do not overwrite newer ones, the platform's own
/// statements see the same.

#include "operations/conversation_state.hpp"

#include "support/postgres_server.hpp"
#include "support/until.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <future>
#include <mutex>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

constexpr auto patience = 30s;
const std::string table = "kdcube_t_p.conv_messages";

chat_task task_of(const std::string &conversation, const std::string &turn, const std::string &user = "u") {
  chat_task t;
  t.task_id = "task-" + turn;
  t.bundle_id = "b";
  t.session_id = "s";
  t.conversation_id = conversation;
  t.turn_id = turn;
  t.user_id = user;
  return t;
}

struct states {
  postgres_server server;
  runtime rt;
  pg_pool pool{rt, {.conninfo = server.url(), .max_size = 8}};
  std::mutex mutex;
  std::vector<std::string> logged;
  std::unique_ptr<conversation_state> state = make();

  std::unique_ptr<conversation_state> make() {
    return std::make_unique<conversation_state>(pool, "t", "p", pool.executor(), [this](const log_line &line) {
      std::lock_guard lock(mutex);
      logged.push_back(line.text);
    });
  }
  ~states() {
    on_loop([this] { state.reset(); });
  }
  template <class F>
  void on_loop(F f) {
    asio::post(pool.executor(), asio::use_future(std::move(f))).get();
  }
  std::future<conversation_claim> beginning(const chat_task &t, bool fresh = false) {
    auto promise = std::make_shared<std::promise<conversation_claim>>();
    auto run = [](conversation_state *s, chat_task task, bool is_fresh,
                  std::shared_ptr<std::promise<conversation_claim>> told) -> asio::awaitable<void> {
      told->set_value(co_await s->begin(task, is_fresh));
    };
    asio::co_spawn(pool.executor(), run(state.get(), t, fresh, promise), asio::detached);
    return promise->get_future();
  }
  conversation_claim begin(const chat_task &t, bool fresh = false) {
    auto f = beginning(t, fresh);
    REQUIRE(f.wait_for(patience) == std::future_status::ready);
    return f.get();
  }
  void say(const chat_task &t, const char *what) {
    on_loop([&, t] {
      if (what == std::string("started"))
        state->started(t);
      else
        state->ended(t, what);
    });
  }
  std::string tags(const std::string &conversation) {
    return server.value("SELECT coalesce((SELECT array_to_string(ARRAY(SELECT unnest(tags) ORDER BY 1), ' ') FROM " + table +
                        " WHERE conversation_id = '" + conversation + "' ORDER BY ts DESC LIMIT 1), 'none')");
  }
  bool becomes(const std::string &conversation, const std::string &state_and_turn) {
    return until(patience, [&] { return tags(conversation) == "artifact:conversation.state " + state_and_turn; });
  }
  std::string count(const std::string &conversation) {
    return server.value("SELECT count(*) FROM " + table + " WHERE conversation_id = '" + conversation + "'");
  }
};

}  // namespace

TEST_CASE_FIXTURE(states, "a turn: in progress with its name, then idle; the next one may begin") {
  auto first = begin(task_of("c", "1"), true);
  CHECK(first.ours);
  CHECK(first.told);
  CHECK(tags("c") == "artifact:conversation.state conv.state:in_progress conv.turn:1");
  auto second = begin(task_of("c", "2"));
  CHECK_FALSE(second.ours);
  CHECK(second.active_turn == "1");
  say(task_of("c", "1"), "started");
  say(task_of("c", "1"), "idle");
  CHECK(becomes("c", "conv.state:idle conv.turn:1"));
  CHECK(begin(task_of("c", "2")).ours);
  say(task_of("c", "2"), "error");
  CHECK(becomes("c", "conv.state:error conv.turn:2"));
  CHECK(begin(task_of("c", "3")).ours);  // an error can be entered again
  CHECK(count("c") == "1");
  CHECK(server.value("SELECT role || text || user_type || ttl_days FROM " + table) == "artifactsystem3650");
}

TEST_CASE_FIXTURE(states, "of many who begin at once, one succeeds, whether the row is there or not; there is one row") {
  REQUIRE(begin(task_of("warm", "0"), true).ours);
  for (int round = 0; round < 10; ++round) {
    const auto conversation = "c" + std::to_string(round);
    for (int again = 0; again < 2; ++again) {
      std::vector<std::future<conversation_claim>> all;
      for (int i = 0; i < 16; ++i)
        all.push_back(beginning(task_of(conversation, std::to_string(again) + "." + std::to_string(i))));
      int ours = 0;
      for (auto &f : all) {
        REQUIRE(f.wait_for(patience) == std::future_status::ready);
        auto claim = f.get();
        REQUIRE(claim.told);
        ours += claim.ours;
      }
      CHECK(ours == 1);
      CHECK(count(conversation) == "1");
      server.ask("UPDATE " + table +
                 " SET tags = '{artifact:conversation.state,conv.state:idle}' WHERE conversation_id = '" + conversation +
                 "'");
    }
  }
}

TEST_CASE_FIXTURE(states, "the end of a turn does not overwrite a later one's state") {
  REQUIRE(begin(task_of("c", "1"), true).ours);
  say(task_of("c", "2"), "started");
  REQUIRE(becomes("c", "conv.state:in_progress conv.turn:2"));
  say(task_of("c", "1"), "idle");
  say(task_of("d", "1"), "idle");  // written after it
  REQUIRE(becomes("d", "conv.state:idle conv.turn:1"));
  CHECK(tags("c") == "artifact:conversation.state conv.state:in_progress conv.turn:2");
  // Another user's conversation of the same name is another one.
  CHECK(begin(task_of("c", "9", "other")).ours);
  CHECK(count("c") == "2");
}

TEST_CASE_FIXTURE(states, "a row that the platform wrote is ours too, and what else it is tagged with stays") {
  REQUIRE(begin(task_of("warm", "0"), true).ours);
  server.ask("INSERT INTO " + table +
             " (user_id, conversation_id, role, text, hosted_uri, bundle_id, ttl_days, user_type, tags) VALUES ('u', 'c',"
             " 'artifact', '', 'cb://state', 'b', 3650, 'system', '{artifact:conversation.state,conv.state:idle,conv.turn:0,"
             "kept}')");
  CHECK(begin(task_of("c", "1")).ours);
  CHECK(tags("c") == "artifact:conversation.state conv.state:in_progress conv.turn:1 kept");
  // The platform's compare-and-set, as it stands in its ingress.
  const std::string id = server.value("SELECT id FROM " + table + " WHERE conversation_id = 'c'");
  const std::string cas = "UPDATE " + table +
                          " SET tags = '{artifact:conversation.state,conv.state:in_progress,conv.turn:p}'" +
                          " WHERE id = " + id + " AND NOT (tags && ARRAY['conv.state:in_progress']::text[]) RETURNING id";
  CHECK(server.ask(cas).empty());
  say(task_of("c", "1"), "idle");
  REQUIRE(until(patience, [&] { return tags("c").find("conv.state:idle") != std::string::npos; }));
  CHECK(server.ask(cas).size() == 1);
  auto busy = begin(task_of("c", "2"));
  CHECK_FALSE(busy.ours);
  CHECK(busy.active_turn == "p");
  CHECK(server.value("SELECT hosted_uri FROM " + table + " WHERE id = " + id) == "cb://state");
}

TEST_CASE_FIXTURE(states, "while PostgreSQL is away nobody waits for long, and what was said is written when it is back") {
  REQUIRE(begin(task_of("c", "1"), true).ours);
  server.stop();
  const auto since = std::chrono::steady_clock::now();
  auto unknown = begin(task_of("c", "2"));
  CHECK(unknown.ours);
  CHECK_FALSE(unknown.told);
  CHECK(std::chrono::steady_clock::now() - since < 5s);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(begin(task_of("c", "3")).told);
  CHECK(std::chrono::steady_clock::now() - since < 10s);
  say(task_of("c", "4"), "started");
  say(task_of("c", "4"), "error");
  server.start();
  CHECK(becomes("c", "conv.state:error conv.turn:4"));  // of a later turn than what stood there
  auto f = std::async([&] {
    std::promise<std::size_t> left;
    auto run = [](conversation_state *s, std::promise<std::size_t> *to) -> asio::awaitable<void> {
      to->set_value(co_await s->finish(10s));
    };
    asio::co_spawn(pool.executor(), run(state.get(), &left), asio::detached);
    return left.get_future().get();
  });
  REQUIRE(f.wait_for(patience) == std::future_status::ready);
  CHECK(f.get() == 0);
}

TEST_CASE_FIXTURE(states, "a user that may not make tables works with the one that is there") {
  REQUIRE(begin(task_of("c", "1"), true).ours);
  server.ask("CREATE ROLE limited LOGIN; GRANT USAGE ON SCHEMA kdcube_t_p TO limited; GRANT SELECT, INSERT, UPDATE ON " +
             table +
             " TO limited; GRANT USAGE ON ALL SEQUENCES IN SCHEMA kdcube_t_p TO limited; REVOKE CREATE ON DATABASE postgres"
             " FROM PUBLIC");
  pg_pool theirs(rt, {.conninfo = "postgresql://limited@127.0.0.1:" + std::to_string(server.port()) + "/postgres"});
  on_loop([&] { state.reset(); });
  state = std::make_unique<conversation_state>(theirs, "t", "p", theirs.executor(), nullptr);
  CHECK(begin(task_of("d", "1"), true).told);
  CHECK(begin(task_of("e", "1")).told);
}
