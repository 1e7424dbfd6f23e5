// Lesson: run what a bundle holds. Its handler is a program in any language that takes requests and answers in lines of
// JSON; bundle.yaml in the bundle's folder says how it is started. After a push new requests go to the new commit's handler,
// without a failure in between.
//
//     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles build/dev/examples/lessons/lesson_cpp_run_bundle
#include <corbel/bundle_runner.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace asio = boost::asio;
using namespace std::chrono_literals;

static asio::awaitable<void> lesson(corbel::runtime &rt) {
  corbel::bundles loader(rt, {.root = std::getenv("BUNDLE_ROOT")});
  corbel::bundle_source source{.id = "app", .url = std::getenv("BUNDLE_URL"), .ref = "main", .follow = 200ms};
  const auto first = (co_await loader.async_load(source, {}, asio::use_awaitable)).value();
  corbel::bundle_runner runner(loader, {});
  const corbel::bundle_request request{.bundle = "app", .task = R"({"name": "Ada"})"};
  const auto tell = [](const std::string &event) { std::printf("on the way: %s\n", event.c_str()); };
  auto answer = (co_await runner.async_run(request, tell, {}, asio::use_awaitable)).value();
  std::printf("answer: %s\n", answer.result.c_str());
  std::printf("now please push a commit\n");
  while (answer.commit == first.commit()) answer = (co_await runner.async_run(request, {}, {}, asio::use_awaitable)).value();
  std::printf("answer: %s\n", answer.result.c_str());
}

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("lesson: run_bundle\n");
  asio::io_context context{1};
  corbel::runtime rt(context, {.name = "run_bundle"});
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
