/// proc brings the bundles of the registry, and a webhook makes it look; nobody else can.

#include "live/hosts_fixture.hpp"
#include "support/git_repository.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

using namespace corbel;
using namespace corbel::test;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds patience{60};

std::string signature(const std::string &secret, const std::string &body) {
  unsigned char out[32];
  unsigned size = sizeof out;
  ::HMAC(::EVP_sha256(), secret.data(), int(secret.size()), reinterpret_cast<const unsigned char *>(body.data()),
         body.size(), out, &size);
  std::string text = "sha256=";
  for (auto b : out) text += fmt::format("{:02x}", b);
  return text;
}

struct webhook_fixture {
  redis_server server;
  git_repository repo;
  temp_dir place;
  std::string root = place.file("root");

  webhook_fixture() {
    repo.commit({{"x", "1"}});
    server.command({"SET", "kdcube:config:bundles:mapping:home:default-project",
                    R"({"bundles": {"app": {"repo": ")" + repo.url() + R"(", "ref": "main"}}})"});
  }
  /// Of the file x in what is current.
  std::string says() const {
    std::error_code ec;
    for (const auto &entry : fs::directory_iterator(root + "/bundles", ec)) {
      std::ifstream in(entry.path() / "current/x");
      std::ostringstream text;
      text << in.rdbuf();
      return text.str();
    }
    return {};
  }
};

}  // namespace

TEST_CASE_FIXTURE(webhook_fixture, "a push that is told of is there at once; what is not verified is turned away") {
  host proc("proc", server.url(), {"--bundles-root", root}, {"CORBEL_WEBHOOK_SECRET=geheim"});
  REQUIRE(until(patience, [&] { return says() == "1"; }));
  const std::string body = R"({"ref": "refs/heads/main"})";
  const auto post = [&](const std::string &id, const std::string &fields) {
    return http_post(proc.port, "/webhooks/git/" + id, body, fields);
  };
  const auto signed_by = [&](const std::string &secret) {
    return "X-Hub-Signature-256: " + signature(secret, body) + "\r\n";
  };
  repo.commit({{"x", "2"}});
  CHECK(post("app", "").status == 401);
  CHECK(post("app", signed_by("other")).status == 401);
  CHECK(post("app", "X-Gitlab-Token: other\r\n").status == 401);
  CHECK(post("none", signed_by("other")).body.find("none") == std::string::npos);
  CHECK(says() == "1");
  auto told = post("app", signed_by("geheim") + "X-GitHub-Event: push\r\n");
  CHECK(told.status == 202);
  CHECK(json_at(told.body, "bundle") == "app");
  REQUIRE(until(patience, [&] { return says() == "2"; }));
  repo.commit({{"x", "3"}});
  CHECK(post("app", "X-Gitlab-Token: geheim\r\nX-Gitlab-Event: Push Hook\r\n").status == 202);
  REQUIRE(until(patience, [&] { return says() == "3"; }));
  CHECK(post("app", signed_by("geheim") + "X-GitHub-Event: ping\r\n").status == 200);
  CHECK(post("none", signed_by("geheim")).status == 404);
  CHECK(http_get(proc.port, "/webhooks/git/app").status == 405);
  CHECK(proc.log().find("geheim") == std::string::npos);
}

TEST_CASE_FIXTURE(webhook_fixture, "without a secret nobody is let in; without a root there is no such route") {
  host proc("proc", server.url(), {"--bundles-root", root});
  REQUIRE(until(patience, [&] { return says() == "1"; }));
  CHECK(http_post(proc.port, "/webhooks/git/app", "", "X-Gitlab-Token: \r\n").status == 401);
  host bare("proc", server.url());
  CHECK(http_post(bare.port, "/webhooks/git/app", "", "").status == 404);
}
