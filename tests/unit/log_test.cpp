#include "base/log.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <stdexcept>
#include <thread>
#include <unistd.h>

using namespace corbel;
using corbel::detail::logger;

namespace {

/// The listener thread, by hand: tasks run when the test says so.
struct deliveries {
  std::deque<std::function<void()>> tasks;
  std::size_t room = 1000;

  logger::deliver_function function() {
    return [this](std::function<void()> task) {
      if (tasks.size() >= room) return false;
      tasks.push_back(std::move(task));
      return true;
    };
  }
  void run() {
    while (!tasks.empty()) {
      auto task = std::move(tasks.front());
      tasks.pop_front();
      task();
    }
  }
};

struct lines {
  std::vector<log_line> got;
  log_function function() {
    return [this](const log_line &line) { got.push_back(line); };
  }
  std::string texts() const {
    std::string out;
    for (auto &line : got) out += line.text + "|";
    return out;
  }
};

log_line line(log_level level, std::string text) { return {level, "part", std::move(text), {}}; }

/// Whether each level is enabled, from error to debug.
std::string enabled(const logger &log) {
  std::string out;
  for (auto level : {log_level::error, log_level::warning, log_level::info, log_level::debug})
    out += log.enabled(level) ? 'y' : 'n';
  CHECK_FALSE(log.enabled(log_level::off));
  return out;
}

/// Standard output of a function, by way of a pipe.
std::string standard_output(const std::function<void()> &fn) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::fflush(stdout);
  int saved = ::dup(1);
  ::dup2(ends[1], 1);
  fn();
  std::fflush(stdout);
  ::dup2(saved, 1);
  ::close(saved);
  ::close(ends[1]);
  std::string out;
  char buffer[4096];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  return out;
}
}  // namespace

TEST_CASE("enabled: the log's level limits what the sinks ask for") {
  deliveries d;
  logger quiet(log_level::debug, "n", "i", false, d.function());
  CHECK(enabled(quiet) == "nnnn");  // nobody listens
  auto warnings = quiet.add_sink(log_level::warning, [](auto &) {});
  CHECK(enabled(quiet) == "yynn");
  auto all = quiet.add_sink(log_level::debug, [](auto &) {});
  CHECK(warnings != 0);
  CHECK(all != warnings);
  CHECK(enabled(quiet) == "yyyy");
  quiet.remove_sink(all);
  CHECK(enabled(quiet) == "yynn");
  quiet.remove_sink(all);
  quiet.remove_sink(12345);
  CHECK(enabled(quiet) == "yynn");
  quiet.remove_sink(warnings);
  CHECK(enabled(quiet) == "nnnn");
  quiet.add_sink(log_level::off, [](auto &) {});
  CHECK(enabled(quiet) == "nnnn");

  logger info(log_level::info, "n", "i", false, d.function());
  info.add_sink(log_level::debug, [](auto &) {});
  CHECK(enabled(info) == "yyyn");
  logger off(log_level::off, "n", "i", true, d.function());
  off.add_sink(log_level::debug, [](auto &) {});
  CHECK(enabled(off) == "nnnn");
  logger to_stdout(log_level::warning, "n", "i", true, d.function());
  CHECK(enabled(to_stdout) == "yynn");
}

TEST_CASE("each sink gets the lines of its level, in order, where they are delivered") {
  deliveries d;
  logger log(log_level::info, "n", "i", false, d.function());
  lines all, urgent;
  log.add_sink(log_level::debug, all.function());
  log.add_sink(log_level::warning, urgent.function());
  log.write(line(log_level::info, "one"));
  log.write(line(log_level::debug, "never"));
  log.write(line(log_level::error, "two"));
  CHECK(all.got.empty());
  CHECK(d.tasks.size() == 2);
  d.run();
  CHECK(all.texts() == "one|two|");
  CHECK(urgent.texts() == "two|");
}

TEST_CASE("a text is one line of valid UTF-8, whatever was written") {
  deliveries d;
  logger log(log_level::info, "n", "i", false, d.function());
  lines all;
  log.add_sink(log_level::info, all.function());
  log.write({log_level::info, "a\nb", "first\r\nsecond\xFF", {{"key", "kept\nas it is"}}});
  d.run();
  CHECK(all.got[0].part == "a b");
  CHECK(all.got[0].text == "first  second\xEF\xBF\xBD");
  CHECK(all.got[0].fields[0].value == "kept\nas it is");
}

TEST_CASE("a removed sink is not called for lines on their way, and is destroyed") {
  deliveries d;
  logger log(log_level::info, "n", "i", false, d.function());
  lines kept;
  int calls = 0;
  auto held = std::make_shared<int>();
  auto id = log.add_sink(log_level::info, [&calls, held](auto &) { ++calls; });
  log.add_sink(log_level::info, kept.function());
  log.write(line(log_level::info, "x"));
  log.remove_sink(id);
  d.run();
  CHECK(calls == 0);
  CHECK(kept.texts() == "x|");
  CHECK(held.use_count() == 1);
}

TEST_CASE("a sink that removes another one, and itself, while it is called") {
  deliveries d;
  logger log(log_level::info, "n", "i", false, d.function());
  lines after;
  std::uint64_t self = 0, other = 0;
  int calls = 0;
  self = log.add_sink(log_level::info, [&](auto &) {
    ++calls;
    log.remove_sink(self);
    log.remove_sink(other);
  });
  other = log.add_sink(log_level::info, after.function());
  log.write(line(log_level::info, "x"));
  log.write(line(log_level::info, "y"));
  d.run();
  CHECK(calls == 1);
  CHECK(after.got.empty());
}

TEST_CASE("a sink that throws keeps no line from the others; the exception goes to the deliverer") {
  deliveries d;
  logger log(log_level::info, "n", "i", false, d.function());
  lines all;
  log.add_sink(log_level::info, [](auto &) { throw std::runtime_error("disk full"); });
  log.add_sink(log_level::info, all.function());
  log.write(line(log_level::info, "x"));
  CHECK_THROWS_WITH(d.run(), "disk full");
  CHECK(all.texts() == "x|");
}

TEST_CASE("what cannot be delivered is dropped, counted, and told with the last line on its way") {
  deliveries d;
  d.room = 3;
  logger log(log_level::info, "n", "i", false, d.function());
  lines all;
  log.add_sink(log_level::info, all.function());
  for (int i = 0; i < 8; ++i) log.write(line(log_level::info, std::to_string(i)));
  d.run();
  std::string told;
  for (auto &l : all.got)
    if (l.part == "log") told += l.fields.at(0).value + "|";
  CHECK(all.texts().substr(0, 2) == "0|");
  CHECK(told == "5|");
  CHECK(all.got.size() == 4);
  CHECK(all.got[1].level == log_level::warning);  // the first after the drop tells; later ones at most once a second
  CHECK(all.got[1].text.starts_with("5 log lines were dropped"));

  d.room = 0;
  log.write(line(log_level::info, "lost"));
  d.room = 3;
  log.write(line(log_level::info, "after"));
  d.run();
  CHECK(all.got.back().text.starts_with("1 log lines were dropped"));
}

TEST_CASE("a drop is told although all other lines were delivered meanwhile") {
  deliveries d;
  lines all;
  logger log(log_level::info, "n", "i", false, [&, queue = d.function()](std::function<void()> task) {
    if (queue(std::move(task))) return true;
    d.run();  // the receivers catch up before the refusal is known
    return false;
  });
  log.add_sink(log_level::info, all.function());
  d.room = 1;
  log.write(line(log_level::info, "a"));
  log.write(line(log_level::info, "b"));
  d.run();
  CHECK(all.texts().starts_with("a|1 log lines were dropped"));
}

TEST_CASE("lines of many threads are all delivered or told to be dropped") {
  std::mutex mutex;
  std::deque<std::function<void()>> tasks;
  logger log(log_level::info, "n", "i", false, [&](std::function<void()> task) {
    std::lock_guard lock(mutex);
    if (tasks.size() >= 50) return false;
    tasks.push_back(std::move(task));
    return true;
  });
  long got = 0, dropped = 0;
  log.add_sink(log_level::info, [&](const log_line &l) {
    if (l.part == "log")
      dropped += std::stol(l.fields.at(0).value);
    else
      ++got;
  });
  std::atomic<int> writing{4};
  std::vector<std::thread> writers;
  writers.reserve(4);
  for (int w = 0; w < 4; ++w)
    writers.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) log.write(line(log_level::info, "x"));
      --writing;
    });
  auto take = [&] {
    std::lock_guard lock(mutex);
    std::function<void()> task;
    if (!tasks.empty()) {
      task = std::move(tasks.front());
      tasks.pop_front();
    }
    return task;
  };
  for (;;) {
    bool last = writing == 0;
    auto task = take();
    if (task)
      task();
    else if (last)
      break;
  }
  for (auto &w : writers) w.join();
  CHECK(got + dropped == 20000);
}

TEST_CASE("JSON lines on standard output") {
  deliveries d;
  logger log(log_level::info, "proc", "proc-1", true, d.function());
  auto out = standard_output([&] {
    log.write({log_level::info, "main", "started", {{"port", "8020"}}});
    log.write(line(log_level::debug, "not shown"));
    log.write(line(log_level::error, "two\nlines"));
    d.run();
  });
  auto pid = std::to_string(::getpid());
  CHECK(out.find(R"("level": "info", "part": "main", "text": "started", "name": "proc", "instance": "proc-1", "pid": )" +
                 pid +
                 R"(, "port": "8020"})"
                 "\n") != std::string::npos);
  CHECK(out.find(R"("text": "two lines")") != std::string::npos);
  CHECK(std::count(out.begin(), out.end(), '\n') == 2);
  CHECK(out.ends_with("}\n"));
}

TEST_CASE("levels change live, of all parts and of one and what is below it") {
  deliveries d;
  lines all;
  logger log(log_level::info, "n", "i", false, d.function());
  log.add_sink(log_level::debug, all.function());
  auto passes = [&](log_level level, const char *part) {
    all.got.clear();
    log.write({level, part, "text", {}});
    d.run();
    return !all.got.empty();
  };
  CHECK_FALSE(passes(log_level::debug, "redis:main"));
  log.set_level("redis", log_level::debug);
  CHECK(log.enabled(log_level::debug));
  CHECK(passes(log_level::debug, "redis:main"));
  CHECK(passes(log_level::debug, "redis"));
  CHECK_FALSE(passes(log_level::debug, "redisx"));
  log.set_level("redis:main", log_level::error);
  CHECK_FALSE(passes(log_level::warning, "redis:main"));
  CHECK(passes(log_level::debug, "redis:other"));
  log.set_level(log_level::off);
  CHECK_FALSE(passes(log_level::error, "http"));
  CHECK(passes(log_level::debug, "redis"));
  CHECK(log.written(log_level::debug) == 4);
}
