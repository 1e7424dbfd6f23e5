// Lesson: a branch is followed. A push is noticed by itself, the new commit is brought, and what is current is switched to
// it at once; the loader tells what happened.
//
//     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles build/dev/examples/lessons/lesson_cpp_follow_branch
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

// The next switch that the loader tells of.
static asio::awaitable<void> await_switch(corbel::bundles &loader) {
  for (bool switched = false; !switched;) {
    auto told = co_await loader.async_events(asio::use_awaitable);
    for (const auto &event : told.value()) {
      std::printf("%s: %.8s, before %.8s\n", corbel::bundle_event_name(event.what), event.commit.c_str(),
                  event.previous.c_str());
      switched = switched || event.what == corbel::bundle_event_kind::switched;
    }
  }
  auto b = loader.pin("app").value();
  std::string line;
  std::getline(std::ifstream(b.path() + "/hello.txt"), line);
  std::printf("current says: %s\n", line.c_str());
}

static asio::awaitable<void> lesson(corbel::runtime &rt) {
  corbel::bundles loader(rt, {.root = std::getenv("BUNDLE_ROOT")});
  corbel::bundle_source source{.id = "app", .url = std::getenv("BUNDLE_URL"), .ref = "main", .follow = 100ms};
  (co_await loader.async_load(std::move(source), {}, asio::use_awaitable)).value();
  co_await await_switch(loader);
  std::printf("now please push a commit\n");
  co_await await_switch(loader);
}

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("lesson: follow_branch\n");
  asio::io_context context{1};
  corbel::runtime rt(context, {.name = "follow_branch"});
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
