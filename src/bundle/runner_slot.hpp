#pragma once
/// Owns: one bundle's handler processes and the requests for them; carries out what child_plan decides. Callers: the runner,
/// one slot for each bundle that was run. Thread: the loop's.

#include "base/log_quota.hpp"
#include "bundle/bundle_book.hpp"
#include "bundle/child_lines.hpp"
#include "bundle/child_manifest.hpp"
#include "bundle/child_plan.hpp"
#include "io/piped_child.hpp"
#include "runtime/runtime_core.hpp"

#include <corbel/bundle_runner.hpp>
#include <corbel/detail/operation.hpp>

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace corbel::detail {

class loader_core;
class runner_slot;
using host_variables = std::vector<std::pair<std::string, std::string>>;

/// What a slot needs of its runner.
class slot_owner {
 public:
  virtual ~slot_owner() = default;
  virtual runtime_core &runtime() noexcept = 0;
  virtual const std::shared_ptr<loop> &where() const noexcept = 0;
  virtual loader_core &loader() noexcept = 0;
  virtual const bundle_runner_options &options() const noexcept = 0;
  virtual const std::string &program() const noexcept = 0;
  virtual const host_variables &variables() const noexcept = 0;
  /// The slot's status has changed.
  virtual void changed(const runner_slot &slot) = 0;
  /// The slot has done what there was to do; it may have nothing left.
  virtual void settled(const runner_slot &slot) = 0;
};

/// A request and who waits for it.
struct slot_request {
  std::string kind, task;
  std::chrono::milliseconds timeout{0};
  std::function<void(const std::string &)> event;
  operation_ptr<bundle_answer> op;
};

class runner_slot : public std::enable_shared_from_this<runner_slot> {
 public:
  using number = child_plan::number;

  runner_slot(std::weak_ptr<slot_owner> owner, std::string id);
  ~runner_slot();
  runner_slot(const runner_slot &) = delete;
  runner_slot &operator=(const runner_slot &) = delete;

  /// Looks what is current, and begins a switch when that is new. Why there is nothing.
  error look();
  void add(number id, std::unique_ptr<slot_request> r);
  bool has(number id) const { return requests_.contains(id); }
  /// The request ends with why.
  void drop(number id, const error &why);
  /// Takes no more; what is in hand may end.
  void close(const error &why);
  /// Everything ends now.
  void abort(const error &why);
  bool closed() const noexcept { return closed_; }
  bool empty() const noexcept { return plan_.empty(); }
  std::size_t requests() const noexcept { return requests_.size(); }
  const std::string &id() const noexcept { return id_; }
  const bundle_runner_status &status() const noexcept { return status_; }

 private:
  struct version {
    bundle_book::pinned pin;
    child_manifest manifest;
    std::vector<std::string> environment;
  };
  struct running {
    std::shared_ptr<piped_child> program;
    number version = 0;
    std::map<number, std::uint64_t> given;  ///< requests, and the bytes that came for each
    error fault;                            ///< why we end it
    std::string last_words;
    log_quota quota;
  };

  void manifest_read(number version, const std::string &text, const error &why);
  void apply(child_plan::actions actions);
  void start_child(number child, number version);
  void finish(number id, result<bundle_answer> r);
  void line(number child, std::string_view text);
  void tell_economics(const std::string &economics);
  void error_line(number child, std::string_view text);
  void fault(number child, error why);
  void ended(number child, int status, std::size_t rest);
  void show();
  void arm();
  template <class F>
  auto guarded(F f);

  const std::weak_ptr<slot_owner> owner_;
  const std::string id_;
  child_plan plan_;
  boost::asio::steady_timer timer_;
  number newest_ = 0;
  bundle_book::pinned latest_;
  std::map<number, version> versions_;
  std::map<number, running> children_;
  std::map<number, std::unique_ptr<slot_request>> requests_;
  bundle_runner_status status_;
  bool closed_ = false;
};

}  // namespace corbel::detail
