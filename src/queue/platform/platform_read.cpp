#include "queue/dead_notes.hpp"
#include "queue/platform/payload.hpp"
#include "queue/platform/platform_protocol.hpp"

#include <algorithm>

namespace corbel::detail {

namespace {

std::uint64_t number(const redis_node &n) { return static_cast<std::uint64_t>(n.integer()); }

std::chrono::system_clock::time_point time_of(std::int64_t ms) {
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
}

}  // namespace

put_answer platform_protocol::read_put(const redis_node &reply, const std::vector<put_group> &groups) const {
  put_answer answer;
  answer.ready = reply[0].integer();
  answer.groups.resize(groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto &r = reply[i + 1];
    auto &outcome = answer.groups[i];
    if (r.elements().empty()) continue;
    if (r[0].integer() == 0) {
      outcome.refused = r[1].text();
      outcome.depth = number(r[2]);
      continue;
    }
    for (std::size_t k = 1; k + 1 < r.elements().size(); k += 2)
      outcome.repeated.emplace_back(number(r[k]) - 1, std::string(r[k + 1].text()));
  }
  return answer;
}

claim_answer platform_protocol::read_claim(const redis_node &reply, const redis_reply &, const claim_request &) const {
  constexpr std::size_t fields = 9;
  claim_answer answer;
  const auto all = reply.elements();
  answer.left = number(reply[0]);
  answer.full = reply[1].integer() != 0;
  answer.messages.reserve(all.size() / fields);
  for (std::size_t i = 2; i + fields <= all.size(); i += fields) {
    claimed_message m;
    m.source = std::make_shared<const claim_source>(claim_source{{}, {}, std::string(all[i].text())});
    m.element = m.source->copy;
    m.id = all[i + 1].text();
    m.attempt = static_cast<std::uint32_t>(all[i + 2].integer());
    m.token = number(all[i + 3]);
    m.lane = static_cast<std::uint32_t>(all[i + 4].integer()) - 1;
    m.group = all[i + 5].text();
    m.put_at = time_of(all[i + 6].integer());
    m.ignored = all[i + 8].text();
    // Where the record has no task that can be read, the handler gets the wake-up itself.
    if (const auto record = all[i + 7].text(); !record.empty()) m.body = resolve_wake_up(record, m.element);
    answer.messages.push_back(std::move(m));
  }
  return answer;
}

reap_answer platform_protocol::read_reap(const redis_node &reply) const {
  reap_answer answer;
  if (reply[0].integer() < 0) {
    answer.ours = false;
    return answer;
  }
  answer.back = number(reply[0]);
  answer.buried = number(reply[1]);
  answer.cursor = reply[2].integer();
  for (std::size_t i = 3; i + 3 <= reply.elements().size(); i += 3) {
    const auto element = reply[i + 1].text(), record = reply[i + 2].text();
    auto body = record.empty() ? std::string() : resolve_wake_up(record, element);
    answer.interrupted.push_back({std::string(reply[i].text()), body.empty() ? std::string(element) : std::move(body)});
  }
  return answer;
}

queue_stats platform_protocol::read_stats(const redis_node &reply) const {
  queue_stats s;
  s.delayed = reply[0].integer();
  s.parked = reply[1].integer();
  s.dead = reply[2].integer();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    lane_stats lane;
    lane.name = lanes_[i].name;
    lane.ready = reply[3 + 3 * i].integer();
    lane.in_flight = reply[4 + 3 * i].integer();
    lane.oldest_age = std::chrono::milliseconds(std::max<std::int64_t>(reply[5 + 3 * i].integer(), 0));
    s.ready += lane.ready;
    s.in_flight += lane.in_flight;
    s.oldest_age = std::max(s.oldest_age, lane.oldest_age);
    s.lanes.push_back(std::move(lane));
  }
  return s;
}

dead_page platform_protocol::read_dead(const redis_node &reply) const {
  dead_page page;
  for (std::size_t i = 1; i + 5 <= reply.elements().size(); i += 5) {
    dead_message m;
    m.number = number(reply[i]);
    m.died_at = time_of(reply[i + 1].integer());
    m.lane = lanes_[std::clamp<std::size_t>(number(reply[i + 2]), 1, lanes_.size()) - 1].name;
    m.body = reply[i + 3].text();
    if (auto task = read_platform_task(m.body)) {
      m.id = std::move(task->id);
      m.group = std::move(task->conversation);
    }
    read_dead_notes(reply[i + 4].text(), m);
    page.messages.push_back(std::move(m));
  }
  if (reply[0].integer() != 0 && !page.messages.empty()) page.next = page.messages.back().number;
  return page;
}

}  // namespace corbel::detail
