#include "runtime/runtime_core.hpp"

#include "base/log_json.hpp"
#include "events/listener_batch.hpp"
#include "runtime/process_metrics.hpp"

#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <unistd.h>

namespace corbel::detail {

using namespace std::chrono_literals;

namespace {
std::string default_instance() {
  if (const char *env = std::getenv("INSTANCE_ID"); env && *env) return env;
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  return host;
}
}  // namespace

runtime_core::runtime_core(runtime_options options, boost::asio::io_context *host) : options_(std::move(options)) {
  if (options_.instance.empty()) options_.instance = default_instance();
  if (options_.name.empty()) options_.name = "corbel";
  listeners_ =
      std::make_unique<listener_thread>([this](std::string text) { log(log_level::warning, "listeners", std::move(text)); });
  log_listener_ = listeners_->add("log");
  log_ = std::make_unique<logger>(options_.level, options_.name, options_.instance, options_.log_stdout,
                                  [batch = std::make_shared<listener_batch>(log_listener_)](std::function<void()> task) {
                                    return batch->post(std::move(task));
                                  });
  log_->use_text(options_.form == log_form::text || (options_.form == log_form::automatic && ::isatty(STDOUT_FILENO) == 1));
  if (options_.log) log_->add_sink(options_.level, options_.log);
  unsigned count = host ? 1 : options_.io_threads;
  for (unsigned i = 0; i < count; ++i) loops_.push_back(host ? std::make_shared<loop>(*host) : std::make_shared<loop>());
  health_watch_ = std::make_shared<health_watch>(loops_.front(), health_, *log_);
  health_.on_change(
      [watch = health_watch_.get()](std::vector<health_change> changes, auto due) { watch->tell(std::move(changes), due); });
  metrics_.add_source([this](metrics_writer &to) { write_health_metrics(to, health_); });
  metrics_.add_source(write_process_metrics);
  metrics_.add_source([this](metrics_writer &to) { host_metrics_.write(to); });
  metrics_.add_source([this](metrics_writer &to) {
    for (auto l : {log_level::error, log_level::warning, log_level::info, log_level::debug})
      to.counter("corbel_log_lines_total", "Lines that were logged.", {{"level", log_level_name(l)}}, log_->written(l));
    to.counter("corbel_log_dropped_total", "Lines that were dropped because their receivers were too slow.", {},
               log_->dropped());
    to.counter("corbel_log_repeated_total", "Lines left out because they repeated others.", {}, log_->repeated());
  });
}

std::shared_ptr<runtime_core> runtime_core::open(runtime_options options, boost::asio::io_context *host) {
  if (!host && (options.io_threads < 1 || options.io_threads > 64))
    throw failure(error(status::invalid, fmt::format("io_threads is {}: give 1 to 64", options.io_threads)));
  std::shared_ptr<runtime_core> core(new runtime_core(std::move(options), host));
  if (!host) {
    try {
      for (std::size_t i = 0; i < core->loops_.size(); ++i) loop::start(core->loops_[i], fmt::format("corbel-io-{}", i));
    } catch (const std::system_error &e) {
      throw failure(error(status::no_memory, fmt::format("cannot start an I/O thread: {}", e.what()), "os", "EAGAIN"));
    }
  }
  core->health_watch_->set_owner(core);
  return core;
}

void runtime_core::watch_lag() {
  std::lock_guard lock(mutex_);
  if (lag_watch_ || shutdown_) return;
  lag_watch_ = std::make_shared<lag_watch>(loops_, weak_from_this(), health_);
  metrics_.add_source([watch = lag_watch_](metrics_writer &to) {
    to.histogram("corbel_runtime_lag_seconds", "How long an I/O thread let a due timer wait.", {}, watch->lags());
  });
  lag_watch_->start();
}

runtime_core::~runtime_core() {
  if (forked()) {  // the parent's threads do not exist here and its locks may be held: leak quietly
    for (auto &l : loops_) leave_to_parent(l);
    leave_to_parent(health_watch_);
    if (lag_watch_) leave_to_parent(lag_watch_);
    (void)listeners_.release();
    (void)log_.release();
    (void)offload_.release();
    return;
  }
  health_watch_->stop();
  if (lag_watch_) lag_watch_->stop();
  for (auto &l : loops_) l->abandon();
  listeners_.reset();  // before the log, which it warns through; waits for no listener
}

std::shared_ptr<loop> runtime_core::next_loop() noexcept {
  return loops_[next_loop_.fetch_add(1, std::memory_order_relaxed) % loops_.size()];
}

bool runtime_core::on_io_thread() const noexcept {
  for (auto &l : loops_)
    if (l->is_here()) return true;
  return false;
}

error runtime_core::refusal() const {
  if (stamp_.forked()) return forked_error();
  if (closing_.load(std::memory_order_acquire)) return error(status::closed, "the runtime is shut down: open a new one");
  return {};
}

std::uint64_t runtime_core::enlist(std::weak_ptr<component> c) {
  std::lock_guard lock(mutex_);
  components_.emplace(++last_component_, std::move(c));
  return last_component_;
}

void runtime_core::delist(std::uint64_t number) noexcept {
  if (forked()) return;
  std::lock_guard lock(mutex_);
  components_.erase(number);
}

void runtime_core::cancel(std::uint64_t ticket) {
  std::shared_ptr<component> owner;
  {
    std::lock_guard lock(mutex_);
    auto it = components_.find(ticket >> 44);
    if (it == components_.end()) return;
    owner = it->second.lock();
  }
  if (owner) owner->home().post([owner, ticket] { owner->cancel(ticket); });
}

std::vector<std::shared_ptr<component>> runtime_core::components() const {
  std::vector<std::shared_ptr<component>> all;
  std::lock_guard lock(mutex_);
  for (auto &[number, weak] : components_)
    if (auto c = weak.lock()) all.push_back(std::move(c));
  return all;
}

std::uint64_t runtime_core::at_shutdown(std::function<void()> fn) {
  std::lock_guard lock(mutex_);
  shutdown_hooks_.emplace(++last_hook_, std::move(fn));
  return last_hook_;
}

void runtime_core::forget_shutdown(std::uint64_t id) noexcept {
  if (forked()) return;
  std::lock_guard lock(mutex_);
  shutdown_hooks_.erase(id);
}

std::string runtime_core::claim_name(const std::string &wanted) {
  std::lock_guard lock(mutex_);
  for (unsigned n = 1;; ++n) {
    auto name = n == 1 ? wanted : fmt::format("{}#{}", wanted, n);
    if (names_.insert(name).second) return name;
  }
}

void runtime_core::free_name(const std::string &name) noexcept {
  std::lock_guard lock(mutex_);
  names_.erase(name);
}

struct runtime_core::shutdown_state {
  explicit shutdown_state(loop &l) : timer(l.context()) {}
  boost::asio::steady_timer timer;  // on the first loop
  std::mutex mutex;
  std::size_t busy = 0;  // components that are not idle yet
  bool ended = false;    // draining is over, aborting began
  bool told = false;     // outcome is final
  result<void> outcome;
  std::vector<std::function<void(result<void>)>> waiting;
};

void runtime_core::begin_shutdown(std::chrono::milliseconds timeout, std::function<void(result<void>)> done) {
  std::shared_ptr<shutdown_state> state;
  bool begins = false;
  {
    std::lock_guard lock(mutex_);
    begins = !shutdown_;
    if (begins) shutdown_ = std::make_shared<shutdown_state>(*loops_.front());
    state = shutdown_;
  }
  {
    std::unique_lock lock(state->mutex);
    if (state->told) {
      lock.unlock();
      return done(state->outcome);
    }
    state->waiting.push_back(std::move(done));
  }
  if (!begins) return;
  closing_.store(true, std::memory_order_release);

  auto all = components();
  auto self = shared_from_this();
  state->busy = all.size() + 1;
  auto idle = [self, state] {
    {
      std::lock_guard lock(state->mutex);
      if (--state->busy != 0) return;
    }
    self->loops_.front()->post([self, state] { self->finish_shutdown(state, false); });
  };
  first_loop()->post([self, state, timeout] {
    state->timer.expires_after(timeout);
    state->timer.async_wait([self, state](boost::system::error_code ec) {
      if (!ec) self->finish_shutdown(state, true);
    });
  });
  for (auto &c : all) c->home().post([c, idle] { c->drain(idle); });
  idle();
}

void runtime_core::finish_shutdown(const std::shared_ptr<shutdown_state> &state, bool timed_out) {
  {
    std::lock_guard lock(state->mutex);
    if (state->ended) return;
    state->ended = true;
  }
  state->timer.cancel();
  // Each component says what is left and is aborted on its own loop; the last one to do so ends the shutdown.
  struct gathering {
    std::mutex mutex;
    std::size_t missing;
    std::string left;
  };
  auto all = components();
  auto gathered = std::make_shared<gathering>();
  gathered->missing = all.size() + 1;
  auto self = shared_from_this();
  auto one_done = [self, state, gathered, timed_out](const std::string &left) {
    {
      std::lock_guard lock(gathered->mutex);
      if (!left.empty()) gathered->left += (gathered->left.empty() ? "" : ", ") + left;
      if (--gathered->missing != 0) return;
    }
    std::map<std::uint64_t, std::function<void()>> hooks;
    std::shared_ptr<lag_watch> lag;
    {
      std::lock_guard lock(self->mutex_);
      hooks.swap(self->shutdown_hooks_);
      lag = self->lag_watch_;
    }
    self->health_watch_->stop();
    if (lag) lag->stop();
    for (auto &[id, hook] : hooks) hook();
    std::vector<std::function<void(result<void>)>> waiting;
    {
      std::lock_guard lock(state->mutex);
      if (timed_out && !gathered->left.empty())
        state->outcome =
            error(status::timeout, fmt::format("the shutdown's time-out passed; cancelled: {}", gathered->left));
      state->told = true;
      waiting.swap(state->waiting);
    }
    for (auto &done : waiting) done(state->outcome);
  };
  for (auto &c : all)
    c->home().post([c, one_done] {
      auto left = c->left();
      c->abort();
      one_done(left);
    });
  one_done("");
}

result<void> runtime_core::shutdown(std::chrono::milliseconds timeout) {
  if (forked()) return forked_error();
  if (timeout < 0ms)
    return error(status::invalid, "the shutdown's time-out is negative: give milliseconds, or 0 for 10,000");
  if (timeout == 0ms) timeout = 10s;
  if (on_io_thread() || listener_thread::is_here())
    return error(status::state,
                 "shutdown blocks and was called on an I/O, wake or listener thread: call it on a thread of the host");
  const auto end = std::chrono::steady_clock::now() + timeout;
  auto done = std::make_shared<std::promise<result<void>>>();
  auto future = done->get_future();
  begin_shutdown(timeout, [done](result<void> r) { done->set_value(std::move(r)); });
  auto outcome = future.get();
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(threads_ended_, true)) return outcome;
  }
  const auto left = [end] {
    return std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()), 50ms,
                      1000ms);
  };
  for (auto &l : loops_) l->join(left());
  listeners_->stop(left());
  return outcome;
}

}  // namespace corbel::detail
