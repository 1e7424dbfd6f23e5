// Lesson: a webhook. Your HTTP server hands over what came; who cannot prove to know the secret is turned away, and else the
// loader looks at once. Here the deliveries come on standard input: a line "X-Hub-Signature-256: ...", and a line with the
// body.
//
//     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles WEBHOOK_SECRET=... build/dev/examples/lessons/lesson_cpp_webhook
#include <corbel/bundle.hpp>
#include <corbel/bundle_webhook.hpp>

#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace asio = boost::asio;

static void await_switch(corbel::bundles &loader) {
  for (bool switched = false; !switched;) {
    const auto told = loader.async_events(asio::use_future).get().value();
    for (const auto &event : told) switched = switched || event.what == corbel::bundle_event_kind::switched;
  }
  auto b = loader.pin("app").value();
  std::string line;
  std::getline(std::ifstream(b.path() + "/hello.txt"), line);
  std::printf("current says: %s\n", line.c_str());
}

// What your HTTP server does with POST /webhooks/app: true for 202, false for 401.
static bool deliver(corbel::bundles &loader, std::string_view signature, std::string_view body) {
  auto push = corbel::verify_webhook(std::getenv("WEBHOOK_SECRET"), {.signature = signature, .body = body});
  if (!push) {
    std::printf("refused: %s\n", push.error().message().c_str());
    return false;
  }
  std::printf("verified: a push to %s\n", push->ref.c_str());
  return loader.look("app");
}

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("lesson: webhook\n");
  corbel::runtime rt({.name = "webhook"});
  corbel::bundles loader(rt, {.root = std::getenv("BUNDLE_ROOT")});
  loader.async_load({.id = "app", .url = std::getenv("BUNDLE_URL"), .ref = "main"}, {}, asio::use_future).get().value();
  await_switch(loader);

  std::printf("now please push a commit and deliver it\n");
  const std::string name = "X-Hub-Signature-256: ";
  std::string header, body;
  bool looking = false;
  while (!looking && std::getline(std::cin, header) && std::getline(std::cin, body))
    looking = deliver(loader, header.starts_with(name) ? header.substr(name.size()) : "", body);
  if (looking) await_switch(loader);
  return rt.shutdown(std::chrono::seconds(5)) ? 0 : 1;
}
