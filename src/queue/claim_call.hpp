#pragma once
/// Owns: one claim on its way: the script, and right behind it the command that reads the elements it took. Callers:
/// consumer_core. Thread: the pool's I/O thread.
///
/// The two leave together, so that both answers come with one round trip. Where the script had to be loaded first, or they
/// went different ways, the elements are read once more.

#include "queue/protocol.hpp"

#include <functional>
#include <memory>

namespace corbel::detail {

class claim_call : public std::enable_shared_from_this<claim_call> {
 public:
  using told_function = std::function<void(result<claim_answer>)>;

  /// told is called once. After an error that may be applied the claim has to be recalled.
  static void start(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol, claim_request request,
                    told_function told);
  /// The same on a leased connection, behind a command that waits there; timeout: with that wait. Of a few messages, which
  /// mostly are one, the elements are not read with it: the claim's own answer has that one's.
  static void start_on(redis_lease &lease, std::chrono::milliseconds timeout, const redis_pool &pool,
                       std::shared_ptr<const queue_protocol> protocol, claim_request request, told_function told);
  claim_call(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol, claim_request request,
             told_function told);

 private:
  void begin();
  void begin_on(redis_lease &lease, std::chrono::milliseconds timeout);
  void read();
  void answered();

  redis_pool pool_;
  const std::shared_ptr<const queue_protocol> protocol_;
  const claim_request request_;
  told_function told_;
  result<redis_reply> claim_, elements_;
  unsigned awaited_ = 0, reads_ = 0;
};

}  // namespace corbel::detail
