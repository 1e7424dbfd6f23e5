#pragma once
/// Owns: the face that both layouts of a queue show: each step as a script call, and the reading of its reply. The step's
/// contract stands at the top of its script: src/queue/native/*.lua, src/queue/platform/*.lua. Callers: the rest of
/// src/queue. Thread: any; nothing changes after construction.

#include <corbel/queue.hpp>
#include <corbel/queue_inspector.hpp>
#include <corbel/redis_script.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel::detail {

/// A script and the command that runs it, for async_run. The scripts live as long as the process.
struct script_call {
  const redis_script &script;
  redis_command command;
};

/// What a put needs to know of the fleet: capacity of all processes together, and how many there are.
struct fleet_capacity {
  std::uint64_t capacity = 0, processes = 0;
};

/// By what a put is admitted: the rules of the moment, and the fleet's capacity by them.
struct put_admission {
  std::shared_ptr<const queue_admission> rules;
  fleet_capacity fleet;
};

/// The items of one caller, which are put all or none.
using put_group = std::vector<put_item>;
/// What became of a group.
struct put_outcome {
  std::string refused;                                             ///< the reason; empty: it was put
  std::uint64_t depth = 0;                                         ///< ready and in flight, when it was refused
  std::vector<std::pair<std::size_t, std::string>> repeated = {};  ///< index, and the id that was put the first time
};
struct put_answer {
  std::int64_t ready = 0;  ///< in all lanes, afterwards
  std::int64_t now = 0;    ///< the server's clock in ms; 0: it is not told
  std::vector<put_outcome> groups;
};

/// What keeps the bytes of messages: those of one claim may share it.
struct claim_source {
  std::string name;   ///< of the claim; empty on a platform queue
  redis_reply reply;  ///< the server's, where the elements are read from there
  std::string copy;   ///< else of one element
};

/// A message as its claim returned it.
struct claimed_message {
  std::string id;
  std::string_view element;                    ///< the ready list's bytes, which source keeps
  std::shared_ptr<const claim_source> source;  ///< never null
  std::string body;         ///< what is delivered where that is no part of the element; else empty, see body_at
  std::size_t body_at = 0;  ///< where the body begins in the element
  std::uint32_t attempt = 0, lane = 0;
  std::uint64_t token = 0;
  std::uint32_t place = 0;  ///< native: among the messages of its claim, from 0
  std::string group;
  std::chrono::system_clock::time_point put_at;
  std::chrono::milliseconds waited{0};  ///< from put to claim; 0 where put_at is not known
  std::string ignored;  ///< why it is not to be worked, but told to the host and acknowledged; empty: it is worked

  std::string_view delivered() const noexcept { return body.empty() ? element.substr(body_at) : std::string_view(body); }
};
using claimed_ptr = std::shared_ptr<const claimed_message>;

struct claim_request {
  std::uint32_t most = 1;
  std::chrono::milliseconds lease{30000};
  std::string claim;  ///< a name that no other claim of the queue has; no ':' in it
  /// Lanes in the order of their turns, with the most to take of each before the next one's turn; what is left after all had
  /// their turn is taken in the same order.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> turns;
};
struct claim_answer {
  std::uint64_t left = 0;  ///< in the ready lists
  bool full = false;       ///< nothing more may be claimed now, although something is ready: try again in a moment
  bool unread = false;     ///< messages were claimed, but the elements given are not theirs: read them again
  bool unseen = false;     ///< messages of groups were claimed without regard to them: the claim has to be recalled
  std::vector<claimed_message> messages;
};

/// One message of a settling; all of one call are settled alike.
struct settle_entry {
  claimed_ptr message;
  std::string due;     ///< retry: "+<ms>" from now, "<ms>" of the server's clock, or "" for at once
  std::string reason;  ///< retry, bury
};

struct reap_request {
  std::string name;  ///< of who reaps: only one at a time does
  std::chrono::milliseconds lease{30000};
  std::uint32_t max_attempts = 25;  ///< unbounded: no limit
  after_crash crashed = after_crash::retry;
  std::int64_t cursor = 0;
};
struct interrupted_message {
  std::string id;
  std::string body;  ///< as it would have been delivered
};
struct reap_answer {
  bool ours = true;  ///< false: another one reaps
  std::uint64_t back = 0, buried = 0;
  std::int64_t cursor = 0;  ///< to go on with, at once; 0: the pass is over
  std::vector<interrupted_message> interrupted;
};

struct promote_answer {
  std::uint64_t moved = 0;                                         ///< to the ready lists
  std::chrono::milliseconds next = std::chrono::milliseconds(-1);  ///< until the next one is due; negative: there is none
};

class queue_protocol {
 public:
  virtual ~queue_protocol() = default;

  virtual const std::vector<queue_lane> &lanes() const noexcept = 0;
  virtual const std::vector<std::string> &ready_lists() const noexcept = 0;  ///< keys, by lane
  /// Success, or why these items cannot be put.
  virtual error check(const put_group &items) const = 0;
  /// The id that an item's body tells; empty: none. Of an item that was checked.
  virtual std::string id_of(const put_item &) const { return {}; }

  /// ids are set. admission: none where everything is taken. now: the server's clock in ms, where it is known.
  virtual script_call put(const std::vector<put_group> &groups, const std::optional<put_admission> &admission,
                          std::optional<std::int64_t> now) const = 0;
  /// The same without admission, as one command without a script, where nothing has to be decided on the server; none: a
  /// script is needed.
  virtual std::optional<redis_command> plain_put(const std::vector<put_group> &, std::int64_t /*now*/) const { return {}; }
  virtual put_answer read_put(const redis_node &reply, const std::vector<put_group> &groups) const = 0;

  virtual script_call claim(const claim_request &r) const = 0;
  /// Reads the elements that a claim took, where its own reply has none; to be sent right behind it.
  virtual std::optional<redis_command> read_elements(const claim_request &) const { return {}; }
  /// elements: the reply to read_elements(); empty where there is none, or it was not sent.
  virtual claim_answer read_claim(const redis_node &reply, const redis_reply &elements, const claim_request &r) const = 0;
  /// Gives back what a claim took whose answer was lost, as if it had not been claimed. Reply: how many, an integer.
  /// unseen: as claim_answer says; later claims look for groups.
  virtual script_call recall(std::string_view claim, bool unseen = false) const = 0;

  /// by: the consumer, for the history.
  virtual script_call settle(corbel::settle how, const std::vector<settle_entry> &entries, std::string_view by) const = 0;
  /// For each entry 1: settled now. 0: the lease had been lost. -1: nobody knows the message any more: it was settled
  /// before.
  virtual std::vector<int> read_settle(const redis_node &reply, corbel::settle how,
                                       const std::vector<settle_entry> &entries) const;

  virtual script_call renew(std::chrono::milliseconds lease, const std::vector<claimed_ptr> &held) const = 0;
  /// Tokens of those whose lease was lost.
  virtual std::vector<std::uint64_t> read_renew(const redis_node &reply, const std::vector<claimed_ptr> &held) const;

  virtual script_call reap(const reap_request &r) const = 0;
  virtual reap_answer read_reap(const redis_node &reply) const = 0;

  virtual script_call promote() const = 0;
  promote_answer read_promote(const redis_node &reply) const;

  virtual script_call stats() const = 0;
  virtual queue_stats read_stats(const redis_node &reply) const = 0;
  virtual script_call dead(std::optional<std::uint64_t> after, std::size_t count) const = 0;
  virtual dead_page read_dead(const redis_node &reply) const = 0;
  /// numbers: empty for all, a thousand a call. Reply: {how many, 1 when there may be more}.
  virtual script_call requeue(const std::vector<std::uint64_t> &numbers) const = 0;
  virtual script_call purge(const std::vector<std::uint64_t> &numbers) const = 0;
};

/// The layout that the options ask for. Throws failure with status::invalid when an option is wrong. instance: of the
/// runtime, for leases whose holder has to have a name.
std::shared_ptr<const queue_protocol> make_protocol(const queue_options &options, const std::string &instance);
std::shared_ptr<const queue_protocol> make_native_protocol(const queue_options &options);
std::shared_ptr<const queue_protocol> make_platform_protocol(const queue_options &options, const std::string &instance);

}  // namespace corbel::detail
