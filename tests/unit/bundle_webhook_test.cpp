// Deliveries are verified with real vectors; nothing else is let in.
#include <corbel/bundle_webhook.hpp>

#include <doctest/doctest.h>

using namespace corbel;

namespace {

// The vector that GitHub's documentation gives.
const std::string secret = "It's a Secret to Everybody", body = "Hello, World!";
const std::string right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

}  // namespace

TEST_CASE("GitHub's signature, over the body as it came") {
  auto push = verify_webhook(secret, {.signature = right, .event = "push", .body = body});
  REQUIRE(push);
  CHECK(push->sender == webhook_sender::github);
  CHECK(push->is_push);
  CHECK(push->ref.empty());
  CHECK_FALSE(verify_webhook(secret, {.signature = right, .event = "ping", .body = body})->is_push);
  std::string upper = right;
  for (auto &c : upper)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 32);
  CHECK_FALSE(verify_webhook(secret, {.signature = upper, .body = body}));  // "shA256=" is no prefix
  for (std::size_t i = 0; i < right.size(); ++i) {
    auto wrong = right;
    wrong[i] = wrong[i] == '0' ? '1' : '0';
    CHECK(verify_webhook(secret, {.signature = wrong, .body = body}).error().is(status::refused));
  }
  CHECK_FALSE(verify_webhook(secret, {.signature = right, .body = body + " "}));
  CHECK_FALSE(verify_webhook(secret + "x", {.signature = right, .body = body}));
  CHECK_FALSE(verify_webhook(secret, {.signature = right + "00", .body = body}));
  CHECK_FALSE(verify_webhook(secret, {.signature = "sha1=00", .body = body}));
}

TEST_CASE("GitLab's token, and what it says was pushed") {
  auto push = verify_webhook("geheim", {.token = "geheim", .event = "Push Hook", .body = R"({"ref": "refs/heads/main"})"});
  REQUIRE(push);
  CHECK(push->sender == webhook_sender::gitlab);
  CHECK(push->ref == "refs/heads/main");
  for (auto wrong : {"geheiM", "gehei", "geheimer", "x"}) {
    auto refused = verify_webhook("geheim", {.token = wrong});
    CHECK(refused.error().is(status::refused));
    CHECK(refused.error().message().find("geheim") == std::string::npos);
  }
}

TEST_CASE("nobody is let in without a secret, without a proof, or with two") {
  CHECK(verify_webhook("", {.signature = right, .body = body}).error().is(status::refused));
  CHECK(verify_webhook("", {.token = ""}).error().is(status::refused));
  CHECK(verify_webhook(secret, {.body = body}).error().is(status::refused));
  CHECK(verify_webhook(secret, {.signature = right, .token = secret, .body = body}).error().is(status::refused));
}
