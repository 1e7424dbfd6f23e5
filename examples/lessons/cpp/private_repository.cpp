// Lesson: a private repository. The token comes from the environment, GIT_HTTP_TOKEN; it goes to the server over https, and
// nowhere else: not to a log, an error, a file, or the arguments of the program that fetches.
//
//     BUNDLE_PRIVATE_URL=https://git.example/team/app.git BUNDLE_ROOT=/tmp/bundles GIT_HTTP_TOKEN=...
//         build/dev/examples/lessons/lesson_cpp_private_repository
#include <corbel/bundle.hpp>
#include <corbel/gateway.hpp>

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
  const corbel::bundle_source source{.id = "app", .url = std::getenv("BUNDLE_PRIVATE_URL"), .ref = "main"};
  auto access = corbel::bundle_access_from(corbel::process_environment());
  {
    corbel::bundle_access none{.ca_file = access.ca_file};
    corbel::bundles stranger(rt, {.root = std::getenv("BUNDLE_ROOT"), .access = none});
    auto refused = co_await stranger.async_load(source, {}, asio::use_awaitable);
    std::printf("without a token: %s\n", refused ? "let in" : refused.error().native().c_str());
  }
  corbel::bundles loader(rt, {.root = std::getenv("BUNDLE_ROOT"), .access = std::move(access)});
  auto b = (co_await loader.async_load(source, {}, asio::use_awaitable)).value();
  std::string line;
  std::getline(std::ifstream(b.path() + "/hello.txt"), line);
  std::printf("with the token it says: %s\n", line.c_str());
}

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("lesson: private_repository\n");
  asio::io_context context{1};
  corbel::runtime rt(context, {.name = "private_repository"});
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
