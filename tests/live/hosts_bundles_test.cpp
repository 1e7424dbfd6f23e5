/// proc with bundles: turns and operations by handlers in Python and in the shell, the default, an unknown one, a switch
/// while messages flow.

#include "live/hosts_fixture.hpp"
#include "support/git_repository.hpp"

#include <doctest/doctest.h>

#include <set>
#include <thread>

using namespace corbel::test;
namespace fs = std::filesystem;

namespace {

std::string sample(const std::string &name) {
  std::ifstream in(std::string(CORBEL_SOURCE_DIR) + "/examples/bundles/" + name);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// What an operator gets who knows the token, or nothing, or a wrong one.
wire_response get(std::uint16_t port, const std::string &path, const std::string &token = "sesame") {
  http_wire wire(port);
  wire.send("GET " + path + " HTTP/1.1\r\nHost: t\r\n" + (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") +
            "\r\n");
  return wire.response();
}

/// The sample bundles in a repository, a bundles.yaml that lists them, and both hosts.
struct world {
  redis_server redis;
  git_repository repo;
  temp_dir place;
  std::string commit = repo.commit({{"word_count_py/bundle.yaml", sample("word_count_py/bundle.yaml")},
                                    {"word_count_py/main.py", sample("word_count_py/main.py")},
                                    {"echo_sh/bundle.yaml", sample("echo_sh/bundle.yaml")},
                                    {"echo_sh/main.sh", sample("echo_sh/main.sh")}});
  host ingress{"ingress", redis.url()};
  host proc{"proc",
            redis.url(),
            {"--concurrency", "4", "--bundles", listed(), "--bundles-root", root()},
            {"CORBEL_OPERATIONS_TOKEN=sesame"}};

  std::string root() {
    fs::permissions(place.path(), fs::perms(0755));  // the handlers run as somebody else
    return place.file("root");
  }
  std::string listed() {
    const auto path = place.file("bundles.yaml");
    std::ofstream(path) << "bundles:\n  version: '1'\n  default_bundle_id: words\n  items:\n"
                        << "  - {id: words, repo: '" << repo.url() << "', ref: main, subdir: word_count_py}\n"
                        << "  - {id: echo, repo: '" << repo.url() << "', ref: main, subdir: echo_sh}\n";
    return path;
  }
  void send(const std::string &session, const std::string &text, const std::string &id, const std::string &bundle = {}) {
    auto body = plain(session, text, id);
    if (!bundle.empty()) body.insert(1, R"("bundle_id": ")" + bundle + "\", ");
    REQUIRE(http_post(ingress.port, "/api/chat/messages", body).status == 200);
  }
};

}  // namespace

TEST_CASE_FIXTURE(world, "turns are worked by the default bundle, by the named one, and an unknown one is told clearly") {
  auto stream = sse_client::of(ingress.port, "s", "one");
  send("s", "to be or not to be", "e1");
  auto counted = stream.next("chat_step");
  CHECK(json_at(counted.data, "event.step") == "count_words");
  auto done = stream.next("chat_complete");
  CHECK(json_at(done.data, "data.final_answer") == "be 2, to 2, not 1, or 1");
  CHECK(json_at(done.data, "data.words") == "6");
  CHECK(json_at(done.data, "data.commit") == commit);
  auto figures = get(proc.port, "/admin/operations/bundles").body;
  CHECK(json_at(figures, "words.turns") == "1");
  CHECK(json_at(figures, "words.economics.words") == "6");
  CHECK(http_get(proc.port, "/metrics").body.find("corbel_bundle_economics_total{bundle=\"words\",what=\"words\"} 6") !=
        std::string::npos);
  send("s", "hello", "e2", "echo");
  CHECK(json_at(stream.next("chat_complete").data, "data.final_answer") == "hello");
  send("s", "hello", "e3", "nowhere");
  auto failed = stream.next("chat_error");
  CHECK(json_at(failed.data, "data.error") ==
        "bundle 'nowhere' is not known; there is words, echo: name one of those, or none for the default");
  CHECK(json_at(failed.data, "data.error_type") == "UNKNOWN");
}

TEST_CASE_FIXTURE(world, "an operation answers over HTTP, as JSON or as its own text") {
  const std::string base = "/api/integrations/bundles/home/default-project/";
  REQUIRE(until(std::chrono::seconds(60), [&] { return get(proc.port, base + "echo/operations/metrics").status == 200; }));
  auto metrics = get(proc.port, base + "echo/operations/metrics");
  CHECK(metrics.status == 200);
  CHECK(metrics.head.find("text/plain; version=0.0.4") != std::string::npos);
  CHECK(metrics.body.find("echo_turns_total 0\n") != std::string::npos);
  auto count = get(proc.port, base + "words/operations/count?text=a+b+a");
  CHECK(count.status == 200);
  CHECK(json_at(count.body, "count.words") == "3");
  CHECK(json_at(count.body, "bundle_id") == "words");
  CHECK(get(proc.port, base + "nowhere/operations/count").status == 404);
  CHECK(get(proc.port, base + "words/operations/unknown").status == 502);
  CHECK(get(proc.port, base + "words/operations/count?text=a", "").status == 401);
  CHECK(get(proc.port, base + "words/operations/count?text=a", "wrong").status == 403);
  const std::vector<std::string> same = {"--bundles", listed(), "--bundles-root", root()};
  host closed("proc", redis.url(), same);
  CHECK(get(closed.port, base + "words/operations/count?text=a", "any").status == 403);
  auto open = same;
  open.emplace_back("--internal-port");
  host internal("proc", redis.url(), open);
  CHECK(until(std::chrono::seconds(60),
              [&] { return get(internal.port, base + "words/operations/count?text=a", "").status == 200; }));
}

TEST_CASE_FIXTURE(world, "messages flow while the bundle is switched: none fails, and the new commit serves") {
  auto stream = sse_client::of(ingress.port, "s", "one");
  std::set<std::string> commits;
  std::string last = commit;
  auto changed = sample("word_count_py/main.py");
  changed.insert(0, "# another version\n");
  for (int i = 0; i < 200; ++i) {
    if (i == 20) last = repo.commit({{"word_count_py/main.py", changed}});
    send("s", "one two", "e" + std::to_string(i));
    // What the platform's channel says when a push has been heard of.
    if (i == 21)
      redis.command({"PUBLISH", "kdcube:config:bundles:update:home:default-project", R"({"bundles": {"words": {}}})"});
    for (;;) {
      auto e = stream.next();
      REQUIRE(!e.event.empty());
      REQUIRE(e.event != "chat_error");
      if (e.event != "chat_complete") continue;
      commits.insert(json_at(e.data, "data.commit"));
      break;
    }
    if (i > 30 && commits.contains(last)) break;
    if (i > 30) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(commits == std::set<std::string>{commit, last});
}

TEST_CASE_FIXTURE(world, "kill -9 of proc leaves no handler, and its message is worked by the next one") {
  auto stream = sse_client::of(ingress.port, "s", "one");
  send("s", "one two", "e1");
  REQUIRE(json_at(stream.next("chat_complete").data, "data.words") == "2");
  const auto handlers = [this] {
    std::size_t n = 0;
    for (const auto &entry : fs::directory_iterator("/proc")) {
      std::error_code ec;
      const auto where = fs::read_symlink(entry.path() / "cwd", ec).string();
      n += !ec && where.starts_with(root());
    }
    return n;
  };
  CHECK(handlers() == 1);
  proc.process.kill();
  CHECK(until(std::chrono::seconds(20), [&] { return handlers() == 0; }));
  send("s", "one two three", "e2");
  proc.start();
  CHECK(json_at(stream.next("chat_complete").data, "data.words") == "3");
}

TEST_CASE_FIXTURE(world,
                  "proc is not ready while a bundle's repository fails, says why, and is ready again when it is mended") {
  REQUIRE(until(std::chrono::seconds(60), [&] {
    return json_at(http_get(proc.port, "/health").body, "bundles_preload_status.words.status") == "succeeded";
  }));
  // Renamed into place: the file is read while it is written otherwise.
  std::ofstream(place.file("next")) << "bundles:\n  version: '2'\n  default_bundle_id: words\n  items:\n"
                                    << "  - {id: words, repo: '" << repo.url()
                                    << "', ref: nowhere, subdir: word_count_py}\n";
  fs::rename(place.file("next"), place.file("bundles.yaml"));
  REQUIRE(until(std::chrono::seconds(30), [&] { return proc.health() == 503; }));
  REQUIRE(until(std::chrono::seconds(30), [&] {
    return json_at(http_get(proc.port, "/health").body, "bundles_git_errors.words").find("nowhere") != std::string::npos;
  }));
  CHECK(json_at(http_get(proc.port, "/health").body, "status") == "not_ready");
  listed();
  CHECK(until(std::chrono::seconds(30), [&] { return proc.health() == 200; }));
}
