#pragma once
/// Producers and consumers of a queue as processes of their own, and what they wrote down. What they write is in the
/// kernel's hands before they go on, so it outlives a SIGKILL.

#include "support/other_process.hpp"
#include "support/temp_dir.hpp"

#include <corbel/queue.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <fcntl.h>
#include <fstream>
#include <set>

namespace corbel::test::queue_workers {

namespace asio = boost::asio;

inline constexpr int batch = 50;

/// A file to which lines are added, each whole.
class journal {
 public:
  explicit journal(const std::string &path) : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}
  ~journal() { ::close(fd_); }
  journal(const journal &) = delete;
  journal &operator=(const journal &) = delete;
  void add(const std::string &line) const {
    [[maybe_unused]] auto written = ::write(fd_, (line + "\n").c_str(), line.size() + 1);
  }

 private:
  const int fd_;
};

inline long long now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
inline std::string id_of(int producer, int number) { return std::to_string(producer) + "-" + std::to_string(number); }

inline asio::awaitable<void> rest(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

/// Puts batches, each until it is accepted, four at a time, at a pace that kills have time for. In the journal: "sent
/// <batch>" before each try, "accepted <batch> <ms>". Started again it goes on with what was not accepted. Arguments: url,
/// journal, its number, batches, 1: with keys.
inline asio::awaitable<void> put_batches(producer in, const journal &out, int number, bool keys, std::vector<int> &left) {
  while (!left.empty()) {
    const int which = left.back();
    left.pop_back();
    std::vector<put_item> items;
    for (int i = which * batch; i < (which + 1) * batch; ++i) {
      put_item item{.body = "body of " + id_of(number, i), .id = id_of(number, i)};
      if (keys) item.idempotency_key = item.id;
      items.push_back(std::move(item));
    }
    for (;;) {
      out.add("sent " + std::to_string(which));
      auto r = co_await in.async_put(items, {}, asio::use_awaitable);
      if (r) break;
    }
    out.add("accepted " + std::to_string(which) + " " + std::to_string(now_ms()));
    co_await rest(std::chrono::milliseconds(80));
  }
}

inline int produce(const std::vector<std::string> &a) {
  std::set<int> accepted;
  std::ifstream before(a[1]);
  for (std::string word, line; before >> word && std::getline(before, line);)
    if (word == "accepted") accepted.insert(std::stoi(line));
  std::vector<int> left;
  for (int b = std::stoi(a[3]) - 1; b >= 0; --b)
    if (!accepted.contains(b)) left.push_back(b);
  journal out(a[1]);
  runtime rt;
  redis_pool pool(rt, {.url = a[0]});
  std::vector<std::future<void>> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(asio::co_spawn(pool.executor(),
                                 put_batches(producer(pool, {.name = "work"}), out, std::stoi(a[2]), a[4] == "1", left),
                                 asio::use_future));
  for (auto &each : all) each.get();
  return 0;
}

/// A message takes 1 to 4 ms. In the journal: "run <id> <token>" when a handler has the message, then "done", "lost" or
/// "failed <token>".
inline asio::awaitable<void> work(consumer &from, const journal &out) {
  for (;;) {
    auto m = co_await from.async_take(asio::use_awaitable);
    if (!m) co_return;
    const auto token = std::to_string(m->token());
    out.add("run " + m->id() + " " + token);
    co_await rest(std::chrono::milliseconds(1 + m->token() % 4));
    auto ours = co_await m->async_settle(settle::done, {}, asio::use_awaitable);
    out.add((!ours ? "failed " : *ours ? "done " : "lost ") + token);
  }
}

/// Works until it is killed. Arguments: url, journal, concurrency, lease in ms.
inline int consume(const std::vector<std::string> &a) {
  journal out(a[1]);
  runtime rt;
  redis_pool pool(rt, {.url = a[0]});
  const auto width = static_cast<std::uint32_t>(std::stoi(a[2]));
  consumer from(
      pool, {.name = "work", .concurrency = width, .prefetch = width, .lease = std::chrono::milliseconds(std::stoi(a[3]))});
  for (std::uint32_t i = 0; i < width; ++i) asio::co_spawn(pool.executor(), work(from, out), asio::detached);
  for (;;) ::pause();
}

inline const other_process::role producer_role("producer", produce), consumer_role("consumer", consume);

}  // namespace corbel::test::queue_workers
