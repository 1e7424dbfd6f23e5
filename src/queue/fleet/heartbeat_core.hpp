#pragma once
/// Owns: the beat of one process: its timer, its state (working, draining, gone), the script call under way. Callers:
/// queue_heartbeat, the C API. Thread: open, set_capacity, start_drain any; the rest the pool's I/O thread.

#include "io/component.hpp"
#include "queue/fleet/names.hpp"
#include "queue/loop_inbox.hpp"

#include <corbel/log.hpp>
#include <corbel/queue_heartbeat.hpp>

#include <boost/asio/steady_timer.hpp>

#include <mutex>

namespace corbel::detail {

class heartbeat_core final : public component, public std::enable_shared_from_this<heartbeat_core> {
 public:
  static constexpr std::chrono::seconds interval{10}, good_for{30}, listed_for{75};

  /// Checks the options (throws failure) and begins. The pointer is a handle: the last copy to go removes the keys.
  static std::shared_ptr<heartbeat_core> open(const redis_pool &pool, heartbeat_options options);

  heartbeat_core(const redis_pool &pool, heartbeat_options options);
  ~heartbeat_core() override;
  io_executor executor() const { return pool_.executor(); }
  void set_capacity(std::uint32_t capacity);
  void start_drain(call c, operation_ptr<void> op);

  // component
  loop &home() noexcept override;
  std::string left() const override { return {}; }
  void drain(std::function<void()> idle) override;
  void abort() override { stop(); }
  void cancel(std::uint64_t) override {}

 private:
  enum class state { working, draining, gone };
  static const char *word(state s) noexcept;

  void begin();
  void beat();
  void arm();
  redis_command command();
  void told(const result<redis_reply> &r);
  void begin_drain(call c, operation_ptr<void> op);
  void release();
  void stop();
  void log(log_level level, std::string text) const;
  template <class F>
  void on_loop(F f);

  heartbeat_options options_;
  std::recursive_mutex asking_;  // held while its functions run, so that none does after the handle is gone
  bool may_ask_ = true;
  redis_pool pool_;
  const fleet_names names_;
  const long pid_;
  const std::string process_key_, instance_key_, draining_key_, registry_key_;
  const std::string instance_head_;
  std::uint64_t number_ = 0, follower_ = 0;
  loop_inbox<heartbeat_core> inbox_;
  boost::asio::steady_timer timer_;
  state state_ = state::working;
  bool under_way_ = false, again_ = false, stopped_ = false, warned_ = false;
  std::string trouble_;  // what was logged of beats that failed
};

}  // namespace corbel::detail
