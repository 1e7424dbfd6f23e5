#include "queue/queue_scripts.hpp"

#include "scripts/queue_ack.hpp"
#include "scripts/queue_claim.hpp"
#include "scripts/queue_give_back.hpp"
#include "scripts/queue_put.hpp"
#include "scripts/queue_reap.hpp"
#include "scripts/queue_recall.hpp"
#include "scripts/queue_renew.hpp"

namespace corbel::detail {

namespace {

/// A claim ends once its messages have so many bytes together, so that its reply keeps well below a pool's limit.
constexpr std::size_t claim_bytes = 8u << 20;
/// What one call of the reaper looks at, so that it does not hold the server up.
constexpr std::size_t reap_elements = 256, reap_bytes = 32u << 20;

struct script_set {
  redis_script put{scripts::queue_put, 1}, claim{scripts::queue_claim, 6}, ack{scripts::queue_ack, 4},
      give_back{scripts::queue_give_back, 5}, renew{scripts::queue_renew, 2}, reap{scripts::queue_reap, 5},
      recall{scripts::queue_recall, 5};
};

/// Never destroyed: I/O threads may still run them while the process exits.
const script_set &the_scripts() {
  static const script_set &set = *new script_set;
  return set;
}

}  // namespace

script_call put_call(const queue_keys &k, const std::vector<put_item> &items) {
  auto command = the_scripts().put.command(k.ready, k.wake);
  for (const auto &[body, id] : items) command.push(make_element(id, body));
  return {the_scripts().put, std::move(command)};
}

script_call claim_call(const queue_keys &k, std::uint32_t most, std::chrono::milliseconds lease, std::string_view claim) {
  return {the_scripts().claim, the_scripts().claim.command(k.ready, k.inflight, k.leases, k.attempts, k.holders, k.token,
                                                           most, lease.count(), claim, claim_bytes)};
}

script_call settle_call(const queue_keys &k, settle how, const claimed_list &messages) {
  if (how == settle::done) {
    const auto &m = *messages.front();
    return {the_scripts().ack,
            the_scripts().ack.command(k.inflight, k.leases, k.attempts, k.holders, m.element, m.id, m.holder)};
  }
  auto command = the_scripts().give_back.command(k.ready, k.inflight, k.leases, k.attempts, k.holders, k.wake,
                                                 how == settle::hand_back ? 1 : 0);
  for (const auto &m : messages) command.push(m->element).push(m->id).push(m->holder);
  return {the_scripts().give_back, std::move(command)};
}

script_call renew_call(const queue_keys &k, std::chrono::milliseconds lease,
                       const std::vector<std::pair<std::string, std::string>> &held) {
  auto command = the_scripts().renew.command(k.leases, k.holders, lease.count());
  for (const auto &[id, holder] : held) command.push(id).push(holder);
  return {the_scripts().renew, std::move(command)};
}

script_call reap_call(const queue_keys &k, std::chrono::milliseconds lease, std::int64_t cursor) {
  return {the_scripts().reap, the_scripts().reap.command(k.ready, k.inflight, k.leases, k.attempts, k.holders, k.wake,
                                                         lease.count(), cursor, reap_elements, reap_bytes)};
}

script_call recall_call(const queue_keys &k, std::string_view claim) {
  return {the_scripts().recall,
          the_scripts().recall.command(k.ready, k.inflight, k.leases, k.attempts, k.holders, k.wake, claim)};
}

claim_answer read_claim(const redis_reply &reply, std::string_view claim) {
  claim_answer answer;
  const auto all = reply.root().elements();
  if (all.empty()) return answer;
  answer.left = static_cast<std::uint64_t>(all[0].integer());
  for (std::size_t i = 1; i + 4 <= all.size(); i += 4) {
    claimed_message m;
    m.id = all[i].text();
    m.element = all[i + 1].text();
    m.attempt = static_cast<std::uint32_t>(all[i + 2].integer());
    m.token = static_cast<std::uint64_t>(all[i + 3].integer());
    m.holder.append(all[i + 3].text()).append(1, ':').append(claim);
    answer.messages.push_back(std::move(m));
  }
  return answer;
}

std::int64_t read_settle(const redis_reply &reply) {
  const auto &root = reply.root();
  return root.elements().empty() ? root.integer() : root[0].integer();
}

reap_answer read_reap(const redis_reply &reply) {
  const auto &root = reply.root();
  return {root[0].integer(), root[1].integer(), root[2].integer()};
}

}  // namespace corbel::detail
