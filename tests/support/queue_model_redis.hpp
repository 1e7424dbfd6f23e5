#pragma once
/// What each script of the native layout does, over a world's abstract Redis. Callers: queue_model.cpp.

#include "support/queue_model.hpp"

namespace corbel::test::queue_model {

/// world::fault
enum fault : std::uint8_t { no_fault, tokens_do_not_grow, out_of_order };

class abstract_redis {
 public:
  abstract_redis(world &w, const rules &r) noexcept : w_(w), r_(r) {}

  void put(std::uint8_t message);
  /// As many messages as one claim takes, or as there are.
  void claim(std::uint8_t claim);
  void recall(std::uint8_t claim);
  /// 1: settled now. 0: the lease had been lost. -1: nobody knows the token.
  std::int8_t settle(how kind, std::uint8_t token, std::uint8_t message);
  /// False when the lease was lost. token, message: one that is held under it.
  bool renew(std::uint8_t claim, std::uint8_t token, std::uint8_t message);
  void lease_ends(std::uint8_t claim);
  void reap();
  void promote(std::uint8_t place);
  /// The second half of a claim that was not made in one step.
  void lease(std::uint8_t message, std::uint8_t token, std::uint8_t claim);

 private:
  bool grouped(std::uint8_t message) const noexcept { return (r_.grouped >> message & 1) != 0; }
  std::uint8_t new_token();
  /// Ends a claim. `over`: the message does not come back at once, so the next of its group may run.
  in_flight forget(std::uint8_t place, bool over);
  void check_order(std::uint8_t message);
  world &w_;
  const rules &r_;
};

}  // namespace corbel::test::queue_model
