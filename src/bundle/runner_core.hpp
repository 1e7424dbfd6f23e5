#pragma once
/// Owns: the slots of one bundle runner, and who waits for which request. Callers: bundle_runner, the C API. Thread: what is
/// marked so hands over to the loader's loop, where all the rest runs.

#include "bundle/loader_core.hpp"
#include "bundle/runner_slot.hpp"

#include <corbel/bundle_runner.hpp>

#include <mutex>

namespace corbel::detail {

class runner_core final : public component, public slot_owner, public std::enable_shared_from_this<runner_core> {
 public:
  /// Checks the options (throws failure).
  static std::shared_ptr<runner_core> open(std::shared_ptr<loader_core> loader, bundle_runner_options options);
  runner_core(std::shared_ptr<loader_core> loader, bundle_runner_options options, std::string program);
  ~runner_core() override;

  // Any thread. A ticket of 0: one is given.
  runtime_core &runtime() noexcept override { return loader_->runtime(); }
  io_executor executor() const { return loop_->executor(); }
  std::uint64_t next_ticket() noexcept { return ticket_base_ + ticket_count_.fetch_add(1, std::memory_order_relaxed); }
  void run(bundle_request request, bundle_runner::event_function on_event, call c, operation_ptr<bundle_answer> op);
  std::vector<bundle_runner_status> status() const;
  /// The handle is gone.
  void close();

  // component
  loop &home() noexcept override { return *loop_; }
  std::string left() const override;
  void drain(std::function<void()> idle) override;
  void abort() override;
  void cancel(std::uint64_t ticket) override;

  // slot_owner
  const std::shared_ptr<loop> &where() const noexcept override { return loop_; }
  loader_core &loader() noexcept override { return *loader_; }
  const bundle_runner_options &options() const noexcept override { return options_; }
  const std::string &program() const noexcept override { return program_; }
  const host_variables &variables() const noexcept override { return variables_; }
  void changed(const runner_slot &slot) override;
  void settled(const runner_slot &slot) override;

 private:
  template <class F>
  void on_loop(F f);
  /// number: of the ticket within this runner, small enough for every language's JSON.
  void add(std::uint64_t number, const std::string &id, std::unique_ptr<slot_request> r);
  void report_health();
  std::list<std::shared_ptr<runner_slot>> all() const;

  const std::shared_ptr<loader_core> loader_;
  const std::shared_ptr<loop> loop_;
  const bundle_runner_options options_;
  const std::string program_, name_;
  const host_variables variables_;
  std::uint64_t number_ = 0, ticket_base_ = 0, metrics_source_ = 0;
  std::atomic<std::uint64_t> ticket_count_{1};
  std::shared_ptr<loader_core::listener> listener_;

  std::map<std::string, std::shared_ptr<runner_slot>, std::less<>> slots_;
  std::list<std::shared_ptr<runner_slot>> closed_;  ///< they end what they have
  std::function<void()> idle_;
  bool closing_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, bundle_runner_status, std::less<>> known_;  // under the mutex
};

}  // namespace corbel::detail
