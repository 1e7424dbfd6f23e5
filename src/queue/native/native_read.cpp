#include "queue/dead_notes.hpp"
#include "queue/native/element.hpp"
#include "queue/native/native_protocol.hpp"
#include "queue/native/settled_places.hpp"

#include <algorithm>
#include <charconv>

namespace corbel::detail {

namespace {

/// Messages of a claim keep its reply together, as long as one of them is held, up to so many bytes of elements.
constexpr std::size_t shared_bytes = 512u << 10;

std::uint64_t number(const redis_node &n) { return static_cast<std::uint64_t>(n.integer()); }

std::chrono::system_clock::time_point time_of(std::int64_t ms) {
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
}

/// The number before the next `end`, which is taken off with it.
std::uint64_t next_number(std::string_view &text, char end) {
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  const auto at = text.find(end);
  text = at == text.npos ? std::string_view() : text.substr(at + 1);
  return n;
}

}  // namespace

put_answer native_protocol::read_put(const redis_node &reply, const std::vector<put_group> &groups) const {
  put_answer answer;
  answer.groups.resize(groups.size());
  if (reply.type() == redis_node::kind::integer) {  // of a plain put
    answer.ready = reply.integer();
    return answer;
  }
  answer.ready = reply[0].integer();
  answer.now = reply[1].integer();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto &r = reply[i + 2];
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

claim_answer native_protocol::read_claim(const redis_node &reply, const redis_reply &elements,
                                         const claim_request &r) const {
  claim_answer answer;
  answer.left = number(reply[0]);
  const auto count = number(reply[1]), first = number(reply[2]);
  if (count == 0) return answer;
  const auto all = elements.root().elements();
  const bool told = all.empty() && count == 1 && reply.elements().size() > 5;
  if (!told && all.size() != count) {
    answer.unread = true;
    return answer;
  }
  std::size_t bytes = 0;
  for (const auto &element : all) bytes += element.text().size();
  const bool copied = told || bytes > shared_bytes;
  auto source = std::make_shared<const claim_source>(claim_source{r.claim, copied ? redis_reply() : elements, {}});
  bool grouped = false;
  answer.messages.reserve(count);
  auto add = [&](std::string_view element) {
    claimed_message m;
    if (copied) source = std::make_shared<const claim_source>(claim_source{r.claim, {}, std::string(element)});
    m.source = source;
    m.element = copied ? std::string_view(source->copy) : element;
    auto head = read_native_head(m.element);
    m.id = std::move(head.id);
    m.group = std::move(head.group);
    m.put_at = head.put_at;
    m.body_at = head.body_at;
    m.attempt = 1;
    m.place = static_cast<std::uint32_t>(answer.messages.size());
    m.token = first + m.place;
    grouped = grouped || !m.group.empty();
    answer.messages.push_back(std::move(m));
  };
  for (const auto &element : all) add(element.text());
  if (told) add(reply[5].text());
  answer.unseen = grouped && reply[4].integer() == 0;
  for (auto others = reply[3].text(); !others.empty();) {
    const auto index = next_number(others, ':'), attempt = next_number(others, ':'), lane = next_number(others, ';');
    if (index == 0 || index > answer.messages.size() || lane == 0) break;
    answer.messages[index - 1].attempt = static_cast<std::uint32_t>(attempt);
    answer.messages[index - 1].lane = static_cast<std::uint32_t>(lane - 1);
  }
  return answer;
}

std::vector<int> native_protocol::read_settle(const redis_node &reply, corbel::settle how,
                                              const std::vector<settle_entry> &entries) const {
  if (how != settle::done) return queue_protocol::read_settle(reply, how, entries);
  std::vector<int> all(entries.size());
  std::size_t i = 0;
  for (const auto &claim : places_by_claim(entries)) {
    const auto &answer = reply[i++];
    const auto text = answer.type() == redis_node::kind::integer ? std::string_view() : answer.text();
    for (std::size_t k = 0; k < claim.entries.size(); ++k)
      all[claim.entries[k].second] = text.empty() ? 1 : k < text.size() ? text[k] == '1' ? 1 : text[k] == '0' ? 0 : -1 : -1;
  }
  return all;
}

std::vector<std::uint64_t> native_protocol::read_renew(const redis_node &reply, const std::vector<claimed_ptr> &held) const {
  std::vector<std::uint64_t> lost;
  for (const auto &claim : reply.elements()) {
    for (const auto &m : held)
      if (m->source->name == claim.text()) lost.push_back(m->token);
  }
  return lost;
}

reap_answer native_protocol::read_reap(const redis_node &reply) const {
  reap_answer answer;
  if (reply[0].integer() < 0) {
    answer.ours = false;
    return answer;
  }
  answer.back = number(reply[0]);
  answer.buried = number(reply[1]);
  answer.cursor = reply[2].integer();
  for (std::size_t i = 3; i < reply.elements().size(); ++i) {
    const auto element = reply[i].text();
    auto head = read_native_head(element);
    answer.interrupted.push_back({std::move(head.id), std::string(element.substr(head.body_at))});
  }
  return answer;
}

queue_stats native_protocol::read_stats(const redis_node &reply) const {
  queue_stats s;
  s.in_flight = reply[0].integer();
  s.delayed = reply[1].integer();
  s.parked = reply[2].integer();
  s.dead = reply[3].integer();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    lane_stats lane;
    lane.name = lanes_[i].name;
    lane.ready = reply[4 + 2 * i].integer();
    lane.oldest_age = std::chrono::milliseconds(std::max<std::int64_t>(reply[5 + 2 * i].integer(), 0));
    s.ready += lane.ready;
    s.oldest_age = std::max(s.oldest_age, lane.oldest_age);
    s.lanes.push_back(std::move(lane));
  }
  return s;
}

dead_page native_protocol::read_dead(const redis_node &reply) const {
  dead_page page;
  for (std::size_t i = 1; i + 5 <= reply.elements().size(); i += 5) {
    dead_message m;
    m.number = number(reply[i]);
    m.died_at = time_of(reply[i + 1].integer());
    m.lane = lanes_[std::min<std::size_t>(number(reply[i + 2]), lanes_.size()) - 1].name;
    const auto element = reply[i + 3].text();
    auto head = read_native_head(element);
    m.id = std::move(head.id);
    m.group = std::move(head.group);
    m.body = element.substr(head.body_at);
    read_dead_notes(reply[i + 4].text(), m);
    page.messages.push_back(std::move(m));
  }
  if (reply[0].integer() != 0 && !page.messages.empty()) page.next = page.messages.back().number;
  return page;
}

}  // namespace corbel::detail
