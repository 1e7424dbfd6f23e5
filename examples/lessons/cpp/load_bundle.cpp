// Lesson: a bundle, code in a git repository at a ref, is brought into a folder of its own, whole and read-only, and pinned:
// the folder stays as it is until the pin goes.
//
//     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles build/dev/examples/lessons/lesson_cpp_load_bundle
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

static asio::awaitable<void> lesson(corbel::runtime &rt) {
  corbel::bundles loader(rt, {.root = std::getenv("BUNDLE_ROOT")});
  // A private repository: .secret is a token for https, .ssh_key a file for ssh. Neither reaches a log or an argument.
  corbel::bundle_source source{.id = "app", .url = std::getenv("BUNDLE_URL"), .ref = "main"};
  auto loaded = co_await loader.async_load(std::move(source), {.timeout = 30s}, asio::use_awaitable);
  const auto &b = loaded.value();
  std::string line;  // the bundle of this lesson is one file of text
  std::getline(std::ifstream(b.path() + "/hello.txt"), line);
  std::printf("%s at %.8s says: %s\n", b.id().c_str(), b.commit().c_str(), line.c_str());
}

int main() {
  std::printf("lesson: load_bundle\n");
  asio::io_context context{1};
  corbel::runtime rt(context, {.name = "load_bundle"});
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
