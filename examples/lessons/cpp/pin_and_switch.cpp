// Lesson: what runs keeps running. Work that has a commit pinned sees it unchanged to its end, while new work already gets
// the next one. The old folder goes when nobody has it pinned any more.
//
//     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles build/dev/examples/lessons/lesson_cpp_pin_and_switch
#include <corbel/bundle.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>

namespace asio = boost::asio;
using namespace std::chrono_literals;

static void show(const char *who, const corbel::bundle &b) {
  std::string line;
  std::getline(std::ifstream(b.path() + "/hello.txt"), line);
  std::printf("%s sees: %s\n", who, line.c_str());
}

static asio::awaitable<void> lesson(corbel::runtime &rt) {
  corbel::bundles loader(rt, {.root = std::getenv("BUNDLE_ROOT")});
  const corbel::bundle_source source{.id = "app", .url = std::getenv("BUNDLE_URL"), .ref = "main"};
  const auto old = (co_await loader.async_load(source, {}, asio::use_awaitable)).value();  // running work: its pin
  show("running work", old);
  std::printf("now please push a commit\n");
  // A real host follows the branch, or is told by a webhook.
  while (loader.pin("app").value().commit() == old.commit()) {
    auto again = co_await loader.async_load(source, {}, asio::use_awaitable);
    again.value();
  }
  const auto fresh = loader.pin("app").value();  // what is current; never waits for git
  show("running work still", old);
  show("new work", fresh);
}

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("lesson: pin_and_switch\n");
  asio::io_context context{1};
  corbel::runtime rt(context, {.name = "pin_and_switch"});
  int status = 0;
  asio::co_spawn(context, lesson(rt), [&](std::exception_ptr problem) {
    try {
      if (problem) std::rethrow_exception(problem);
    } catch (const std::exception &x) {
      std::fprintf(stderr, "%s\n", x.what());
      status = 1;
    }
    rt.async_shutdown(5s, [&](const corbel::result<void> &) { context.stop(); });
  });
  context.run();
  return status;
}
