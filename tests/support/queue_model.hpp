#pragma once
/// The queue's protocol as a pure machine: producers and consumers, one step at a time, over an abstract Redis in which each
/// script is one step. Between any two steps a process may die, an answer may be lost, a request may arrive late, a lease
/// may end. A world is plain bytes, so that all worlds that can be reached can be kept and compared.
///
///     auto w = first_world(rules);
///     for (auto s : possible(w, rules)) { auto next = w; apply(next, s, rules); CHECK(fault_of(next, rules) == ""); }
///
/// What is left out: payloads, and real time. A lease ends when the step says so, a delay likewise.

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace corbel::test::queue_model {

inline constexpr std::uint8_t most_messages = 5, most_processes = 3, most_held = 2;

/// One thing done wrongly, so that an exploration can be seen to find it.
enum class mutation : std::uint8_t {
  none,
  put_without_key,       ///< a repeated put is put again
  claim_in_two_steps,    ///< taken from the ready list in one step, written in flight in a later one
  claim_of_busy_group,   ///< a message whose group runs is claimed all the same
  tokens_again,          ///< a token that is free is given again
  ack_by_name,           ///< acknowledged by the message's id, whatever the token
  answer_lost_is_done,   ///< "the lease had been lost" is told to the handler as success
  group_not_freed,       ///< a message that ends leaves its group busy
  return_wakes_next,     ///< a message that comes back wakes the next of its group, as if it had ended
  promote_overtakes,     ///< a delayed message goes ahead of those of its group that wait aside
  reap_keeps_in_flight,  ///< what is brought back stays in flight too
  reap_uncounted,        ///< what is brought back has not been tried
  recall_of_all,         ///< a recall gives back what other claims took
  renew_takes_back,      ///< a renewal of a lost lease takes the message back
  settle_ends_claim,     ///< when one message of a claim is settled, the others are not known any more
  reap_tells_one,        ///< of what is brought back of a claim one message is known as lost
};

/// The size of a world, and what its processes may suffer.
struct rules {
  std::uint8_t messages = 2, producers = 2, consumers = 2;  ///< message m is put by producer m % producers
  std::uint8_t grouped = 0;                                 ///< bit m: message m is of the one group
  std::uint8_t max_attempts = 2;
  std::uint8_t most = 1;                ///< messages of one claim
  std::uint8_t ways = 0x3e;             ///< bit how: a message may be settled so
  std::uint8_t deaths = 1, losses = 1;  ///< how many processes may die, how many answers may be lost or requests be late
  mutation wrong = mutation::none;
};

/// A short list of small numbers; what is not used is zero.
struct row {
  static constexpr std::uint8_t room = 2 * most_messages;
  std::uint8_t n = 0, at[room] = {};
  void push_left(std::uint8_t v);
  void push_right(std::uint8_t v);
  std::uint8_t pop_left() { return take(0); }
  std::uint8_t pop_right() { return take(static_cast<std::uint8_t>(n - 1)); }
  std::uint8_t take(std::uint8_t i);  ///< removes the i-th from the left
  std::uint8_t count(std::uint8_t v) const;
  bool has(std::uint8_t v) const { return count(v) != 0; }
  void sort();
};

struct in_flight {
  std::uint8_t message, token, claim, expired;  ///< expired: the lease of its claim has ended
};

enum class how : std::uint8_t { none, done, retry_now, retry_later, bury, hand_back };

struct producer {
  enum : std::uint8_t { idle, put_ran };
  std::uint8_t phase, next,
      late;  ///< next: message + 1 to be put now, 0: all were; late: message + 1 of a request under way
};

struct consumer {
  /// A message that it holds.
  struct held {
    std::uint8_t message, token;
    how kind;                ///< of the settlement under way, or of the one whose answer was lost
    std::uint8_t uncertain;  ///< an earlier try of the settlement may have been applied
  };
  enum : std::uint8_t { idle, claim_ran, in_doubt, holding, settle_ran };
  std::uint8_t phase, claim;
  held of[most_held];                   ///< in the order of the claim; what is over leaves no gap
  std::uint8_t settling;                ///< which of them
  std::int8_t reply;                    ///< of the settlement that ran
  std::uint8_t late_claim, late_token;  ///< requests of the past that may still run: a claim's name, a settlement's token
  std::uint8_t late_recalled;           ///< that claim was recalled
  std::uint8_t late_message;
  how late_kind;
};

struct world {
  // What Redis holds. Messages by number; tokens and claims are numbers from 1 on.
  row ready, parked, delayed, dead, lost;
  in_flight flight[row::room];
  std::uint8_t flights, group_token, last_token, last_claim;
  std::uint8_t put, attempts[most_messages];  ///< put: bit m, its idempotency key is known
  // Who works.
  producer producers[most_processes];
  consumer consumers[most_processes];
  std::uint8_t deaths, losses;  ///< still allowed
  // What was seen, for the invariants.
  std::uint8_t accepted, done[most_messages], told_done[most_messages], failed[most_messages];
  std::uint8_t was_delayed, fault;  ///< bits of messages; what a step found wrong
  row put_order;

  friend bool operator==(const world &a, const world &b) { return std::memcmp(&a, &b, sizeof(world)) == 0; }
  const in_flight *find(std::uint8_t token) const;
  bool is_claimed(std::uint8_t claim) const;  ///< a message of it is in flight
};

enum class act : std::uint8_t {
  put,
  put_answered,
  put_lost,
  put_late,
  put_arrives,
  producer_dies,
  claim,
  claim_answered,
  claim_lost,
  claim_late,
  claim_arrives,
  recall,
  settle,
  settle_answered,
  settle_lost,
  settle_late,
  settle_arrives,
  renew,
  consumer_dies,
  lease_ends,
  reap,
  promote,
};

struct step {
  act what;
  std::uint8_t who = 0;  ///< producer or consumer; lease_ends, promote: place in flight, in delayed
  how kind = how::none;
  std::uint8_t which = 0;  ///< settle, settle_late: of the messages held
  bool operator==(const step &) const = default;
};
std::string text(step s);

world first_world(const rules &r);
/// Every step that can come next.
std::vector<step> possible(const world &w, const rules &r);
void apply(world &w, step s, const rules &r);
/// What is wrong with this world; empty: every invariant holds.
std::string fault_of(const world &w, const rules &r);
/// Forgets what nobody can ask for any more.
void forget(world &w);
/// forget(), and tokens and claims become the smallest numbers of the same order.
void make_canonical(world &w);
/// It holds a message of which no settlement was tried.
bool holds_certain(const consumer &c);
/// Of the messages in flight of one claim that one comes first.
bool is_first_of_claim(const world &w, std::uint8_t place);
/// The step of one continuation in which no process dies and nothing is lost; false when there is nothing left to do.
bool fair_step(const world &w, const rules &r, step &next);
/// Nothing is left to do, and every message that was put is done or dead.
bool is_drained(const world &w);

}  // namespace corbel::test::queue_model
