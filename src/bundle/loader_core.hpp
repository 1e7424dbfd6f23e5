#pragma once
/// Owns: the looks of one loader that wait or are under way, and when the next ones are due. Callers: bundles, the C API.
/// Thread: what is marked so hands over to the loader's loop, where all the rest runs.
///
/// A look is one run of corbel-git. Those who ask for the same ref before it begins share it; who asks while one is under
/// way gets the next, for the repository may have changed since that one looked. Two runs for one bundle never overlap.

#include "base/notice_mailbox.hpp"
#include "bundle/bundle_book.hpp"
#include "bundle/follow_plan.hpp"
#include "bundle/git_programs.hpp"
#include "bundle/loader_metrics.hpp"
#include "io/component.hpp"
#include "runtime/runtime_core.hpp"

#include <corbel/bundle.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <list>
#include <map>

namespace corbel::detail {

class loader_core final : public component, public std::enable_shared_from_this<loader_core> {
 public:
  using mailbox = notice_mailbox<bundle_event>;

  /// Checks the options (throws failure).
  static std::shared_ptr<loader_core> open(const runtime &rt, bundles_options options);
  loader_core(std::shared_ptr<runtime_core> rt, bundles_options options, std::string program);
  ~loader_core() override;

  // Any thread. A ticket of 0: none is needed.
  runtime_core &runtime() noexcept { return *runtime_; }
  const std::shared_ptr<loop> &shared_loop() const noexcept { return loop_; }
  io_executor executor() const { return loop_->executor(); }
  std::uint64_t next_ticket() noexcept { return ticket_base_ + ticket_count_.fetch_add(1, std::memory_order_relaxed); }
  bundle_book &book() noexcept { return book_; }
  mailbox &events() noexcept { return *events_; }
  const bundles_options &options() const noexcept { return options_; }
  void load(bundle_source given, call c, operation_ptr<bundle> op);
  /// Looks for a new commit; false for an unknown id.
  bool look_now(const std::string &id);
  void forget(const std::string &id, call c, operation_ptr<void> op);
  void prune(call c, operation_ptr<std::size_t> op);
  /// Told on the loop, while it lives: what is current of that id has changed, or the bundle was forgotten.
  using listener = std::function<void(const std::string &id)>;
  void listen(std::weak_ptr<listener> l);
  const std::shared_ptr<loop> &where() const noexcept { return loop_; }
  /// The handle is gone.
  void close();

  // component
  loop &home() noexcept override { return *loop_; }
  std::string left() const override;
  void drain(std::function<void()> idle) override;
  void abort() override;
  void cancel(std::uint64_t ticket) override;

 private:
  using clock = std::chrono::steady_clock;
  struct asker;
  struct run;
  struct followed;
  using run_ptr = std::shared_ptr<run>;

  template <class F>
  void on_loop(F f);
  std::shared_ptr<asker> make_asker(std::string id, call c);
  template <class T>
  void listen_for_cancel(operation_ptr<T> &op, std::uint64_t ticket);

  void add(run_ptr wanted, const std::shared_ptr<asker> &a);
  void pump();
  bool may_start(const run &r) const;
  void start(const run_ptr &r);
  void launch(const run_ptr &r);
  void message(const run_ptr &r, const job_message &m, const std::shared_ptr<commit_hold> &hold);
  void done(const run_ptr &r, const job_message &m, const std::shared_ptr<commit_hold> &hold);
  void failed(const run_ptr &r, const std::string &id, const error &why);
  void ended(const run_ptr &r, const error &why);
  void finish_askers(const run_ptr &r, const std::string *id, const error &why);
  void leave(const std::shared_ptr<asker> &a, const error &why);
  void schedule(const std::string &id, std::optional<follow_plan::duration> wait);
  void look(const std::string &id);
  void tell(bundle_event e);
  void tell_listeners(const std::string &id);
  void report_health();
  run_ptr load_run(const bundle_source &source);
  void call_off(const run_ptr &r);
  void end_all(const error &why);
  void tell_idle();

  const std::shared_ptr<runtime_core> runtime_;
  const std::shared_ptr<loop> loop_;
  const bundles_options options_;
  const std::string name_;
  const std::shared_ptr<git_programs> programs_;
  std::uint64_t number_ = 0, ticket_base_ = 0;
  std::atomic<std::uint64_t> ticket_count_{1};
  bundle_book book_;
  const std::shared_ptr<mailbox> events_;
  const std::shared_ptr<loader_counters> counters_;
  std::uint64_t metrics_source_ = 0;

  std::list<run_ptr> waiting_, running_;
  std::map<std::string, std::unique_ptr<followed>, std::less<>> followed_;
  std::list<std::weak_ptr<listener>> listeners_;
  std::function<void()> idle_;
  bool closing_ = false;
};

}  // namespace corbel::detail
