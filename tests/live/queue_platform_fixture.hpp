#pragma once
/// The platform layout's steps as a test runs them, one script call each, beside a worker of the platform's on the same
/// server.

#include "queue/protocol.hpp"
#include "support/platform_lane.hpp"
#include "support/redis_calls.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

namespace corbel::test {

struct platform_fixture {
  redis_server server{{.arguments = {"--save", ""}}};
  runtime rt;
  redis_pool pool{rt, {.url = server.url()}};
  platform_worker theirs{server};

  static queue_options options() { return {.layout = queue_layout::platform, .tenant = "t", .project = "p"}; }
  using protocol_ptr = std::shared_ptr<const detail::queue_protocol>;
  static protocol_ptr protocol(const queue_options &o = options()) { return detail::make_platform_protocol(o, "ours"); }
  const protocol_ptr ours = protocol();
  unsigned claims = 0;

  redis_reply run(detail::script_call c) {
    auto r = come(async_run(pool, c.script, std::move(c.command), {}, boost::asio::use_future));
    REQUIRE_MESSAGE(r, r.error().message());
    return std::move(*r);
  }

  static put_item item(std::string body) {
    put_item i;
    i.body = std::move(body);
    return i;
  }
  detail::put_outcome put(put_item i, const protocol_ptr &by, const std::optional<detail::put_admission> &admission = {}) {
    const auto wrong = by->check({i});
    REQUIRE_MESSAGE(!wrong, wrong.message());
    i.id = by->id_of(i);
    const std::vector<detail::put_group> groups{{i}};
    return by->read_put(run(by->put(groups, admission, {})).root(), groups).groups.at(0);
  }
  detail::put_outcome put(put_item i) { return put(std::move(i), ours); }

  detail::claim_answer claim(const protocol_ptr &by, std::uint32_t most = 10, std::chrono::milliseconds lease = 30s) {
    detail::claim_request r{.most = most, .lease = lease, .claim = "c" + std::to_string(++claims), .turns = {}};
    for (std::uint32_t lane = 0; lane < by->lanes().size(); ++lane) r.turns.emplace_back(lane, 1);
    return by->read_claim(run(by->claim(r)).root(), {}, r);
  }
  detail::claim_answer claim(std::uint32_t most = 10, std::chrono::milliseconds lease = 30s) {
    return claim(ours, most, lease);
  }
  /// The only message that can be claimed.
  detail::claimed_ptr claim_one(const protocol_ptr &by, std::chrono::milliseconds lease = 30s) {
    auto answer = claim(by, 10, lease);
    REQUIRE(answer.messages.size() == 1);
    return std::make_shared<const detail::claimed_message>(std::move(answer.messages[0]));
  }
  detail::claimed_ptr claim_one(std::chrono::milliseconds lease = 30s) { return claim_one(ours, lease); }

  long long settle(corbel::settle how, const detail::claimed_ptr &m, const protocol_ptr &by, const std::string &due = "") {
    return run(by->settle(how, {{m, due, "because"}}, "me")).root()[0].integer();
  }
  long long settle(corbel::settle how, const detail::claimed_ptr &m, const std::string &due = "") {
    return settle(how, m, ours, due);
  }
  std::size_t lost_by_renewal(const detail::claimed_ptr &m, std::chrono::milliseconds lease = 30s) {
    return run(ours->renew(lease, {m})).root().elements().size();
  }
  detail::promote_answer promote() { return ours->read_promote(run(ours->promote()).root()); }
  /// A whole pass. The first one of all comes late, as far as the server knows, and is left out; that one goes before.
  detail::reap_answer reap(const protocol_ptr &by, const detail::reap_request &how) {
    auto request = how;
    detail::reap_answer sum;
    if (server.command({"KEYS", "t:p:corbel:*:reaper"}).elements.empty()) run(by->reap(request));
    do {
      auto step = by->read_reap(run(by->reap(request)).root());
      sum.ours = step.ours;
      sum.back += step.back;
      sum.buried += step.buried;
      for (auto &m : step.interrupted) sum.interrupted.push_back(std::move(m));
      request.cursor = step.cursor;
    } while (request.cursor != 0);
    return sum;
  }
  detail::reap_answer reap() { return reap(ours, {.name = "me"}); }

  queue_stats stats() { return ours->read_stats(run(ours->stats()).root()); }
  dead_page dead() { return ours->read_dead(run(ours->dead({}, 100)).root()); }
  bool exists(const std::string &key) { return server.command({"EXISTS", key}).number == 1; }
  std::string get(const std::string &key) { return server.command({"GET", key}).text; }
  /// As if the time of the lock had passed.
  void expire(const std::string &lock) { server.command({"DEL", platform_lock + lock}); }
  std::vector<std::string> own_keys() {
    std::vector<std::string> keys;
    for (auto &k : server.command({"KEYS", "t:p:corbel:*"}).elements) keys.push_back(k.text);
    return keys;
  }
};

}  // namespace corbel::test
