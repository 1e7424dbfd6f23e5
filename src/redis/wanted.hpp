#pragma once
/// Owns: the set of names that subscriptions want, and what the server has confirmed of it. Pure: input in, actions out.
/// Callers: the subscriber. Thread: the pool's loop.
///
/// A name is `off`, `joining` (SUBSCRIBE sent), `on` (confirmed) or `leaving` (UNSUBSCRIBE sent). At most one of a name's
/// commands is under way, so that confirmations cannot be mistaken. A lost connection turns every name `off`; what is wanted
/// is asked for again when a new one comes.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace corbel::detail {

enum class name_kind : std::uint8_t { channel, pattern };

class wanted_names {
 public:
  using reader_id = std::uint64_t;  // one subscription
  using call_id = std::uint64_t;    // one call that waits for a confirmation

  struct actions {
    std::vector<std::string> subscribe[2], unsubscribe[2];  // by name_kind: to send, in this order
    std::vector<call_id> confirmed;                         // calls that complete: the server confirmed
    std::vector<call_id> unneeded;                          // calls that complete: the server had not to be asked
    std::vector<call_id> refused;                           // calls that fail: the server refused the name
    bool all_confirmed = false;                             // what was wanted when the connection came is on again
  };

  /// A reader wants a name; the call completes when it is on.
  actions want(reader_id reader, name_kind kind, std::string_view name, call_id call);
  /// A reader leaves a name (one of its wants); the call completes when the server confirmed, if nobody else wants it.
  actions leave(reader_id reader, name_kind kind, std::string_view name, call_id call);
  /// A call that waits for a subscribe gives up: its want is taken back. Nothing for other calls.
  actions give_up(call_id call);
  /// A reader is gone with all its wants.
  actions forget(reader_id reader);
  actions connected();
  actions lost();
  /// The server's confirmation. unsubscribe confirmations of names that are not leaving are ignored.
  actions confirmed(name_kind kind, std::string_view name, bool subscribed);

  /// The server refused to subscribe the name. Calls that waited for it lose their want; whoever had it confirmed before
  /// keeps it, and it is asked for again with the next connection.
  actions refused(name_kind kind, std::string_view name);

  /// Readers of a name that is wanted, for delivery.
  const std::map<reader_id, std::uint32_t> *readers(name_kind kind, std::string_view name) const;
  std::size_t size() const noexcept { return names_[0].size() + names_[1].size(); }
  bool any_wanted() const noexcept { return wanted_ != 0; }
  /// Nothing is under way: no name is joining or leaving.
  bool is_settled() const noexcept { return unsettled_ == 0; }
  /// Connected, and all that was wanted when the connection came was answered.
  bool is_restored() const noexcept { return online_ && restoring_ == 0; }

 private:
  enum class phase : std::uint8_t { off, joining, on, leaving };
  struct name_state {
    phase now = phase::off;
    bool restoring = false;                      // was wanted when the connection came, and not answered yet
    std::map<reader_id, std::uint32_t> readers;  // wants of each
    std::vector<std::pair<call_id, reader_id>> joiners;
    std::vector<call_id> leavers;
    bool wanted() const noexcept { return !readers.empty(); }
  };
  using names = std::map<std::string, name_state, std::less<>>;

  void ask(name_kind kind, names::iterator it, actions &out);
  void drop_reader(name_kind kind, names::iterator it, reader_id reader, bool all, actions &out);
  /// Ends the oldest waiting joins of a reader but `keep`.
  void end_joins(name_state &s, reader_id reader, std::size_t keep, actions &out);
  void set_phase(name_state &s, phase p) noexcept;
  void erase_if_unused(name_kind kind, names::iterator it);
  void check_all_confirmed(actions &out);

  using place = std::pair<name_kind, std::string>;
  std::unordered_map<reader_id, std::set<place>> by_reader_;
  std::unordered_map<call_id, place> by_call_;  // joiners
  names names_[2];
  std::size_t wanted_ = 0;     // names that are wanted
  std::size_t unsettled_ = 0;  // names that are joining or leaving
  std::size_t restoring_ = 0;  // names that are restoring
  bool online_ = false, tell_restored_ = false;
};

}  // namespace corbel::detail
