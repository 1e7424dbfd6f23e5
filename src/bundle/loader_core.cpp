#include "bundle/loader_core.hpp"

#include "base/random.hpp"
#include "bundle/loader_run.hpp"
#include "bundle/program.hpp"
#include "bundle/source_access.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

namespace {

error invalid_option(std::string text) { return error(status::invalid, std::move(text), "bundle", "OPTION"); }

void check(const bundles_options &o) {
  using std::chrono::milliseconds;
  if (!o.root.starts_with('/')) throw failure(invalid_option(fmt::format("root is '{}': give an absolute path", o.root)));
  if (o.lock.redis && (o.lock.ttl < milliseconds(1000) || o.lock.tenant.empty() || o.lock.project.empty()))
    throw failure(invalid_option("lock: give a ttl of a second or more, a tenant and a project"));
  if (o.network_timeout <= milliseconds(0)) throw failure(invalid_option("network_timeout is not positive"));
  if (o.max_bytes == 0 || o.max_files == 0 || o.max_path == 0)
    throw failure(invalid_option("max_bytes, max_files or max_path is 0"));
  if (o.max_running < 1 || o.max_running > 64) throw failure(invalid_option("max_running: give 1 to 64"));
  if (o.retry_first <= milliseconds(0) || o.retry_most < o.retry_first)
    throw failure(invalid_option("retry_first and retry_most: give positive times, the first not above the most"));
}

}  // namespace

std::shared_ptr<loader_core> loader_core::open(const corbel::runtime &rt, bundles_options options) {
  if (auto why = rt.core()->refusal()) throw failure(why);
  check(options);
  auto program = find_git_program(options.program);
  if (!program) throw failure(program.error());
  auto core = std::make_shared<loader_core>(rt.core(), std::move(options), std::move(*program));
  core->number_ = rt.core()->enlist(core);
  core->ticket_base_ = runtime_core::ticket_base(core->number_);
  core->metrics_source_ = rt.core()->metrics().add_source(
      [weak = std::weak_ptr(core), counters = core->counters_, name = core->name_](metrics_writer &w) {
        if (auto alive = weak.lock())
          write_loader_metrics(w, name, *counters, alive->book_.status(), std::chrono::system_clock::now());
      });
  core->on_loop([](loader_core &self) { self.report_health(); });
  return core;
}

loader_core::loader_core(std::shared_ptr<runtime_core> rt, bundles_options options, std::string program)
    : runtime_(std::move(rt)),
      loop_(runtime_->next_loop()),
      options_(std::move(options)),
      name_(runtime_->claim_name("bundles")),
      programs_(std::make_shared<git_programs>(loop_, std::move(program), git_environment())),
      events_(std::make_shared<mailbox>(options_.max_notices, "bundle")),
      counters_(std::make_shared<loader_counters>()) {}

loader_core::~loader_core() {
  if (runtime_->forked()) return;
  runtime_->metrics().remove_source(metrics_source_);
  runtime_->health().remove(name_);
  runtime_->delist(number_);
  runtime_->free_name(name_);
}

template <class F>
void loader_core::on_loop(F f) {
  loop_->post([self = shared_from_this(), f = std::move(f)]() mutable { f(*self); });
}

// ---- calls ----

std::shared_ptr<loader_core::asker> loader_core::make_asker(std::string id, call c) {
  auto a = std::make_shared<asker>(*loop_, std::move(id));
  a->timeout = c.timeout == c.timeout.zero() ? options_.network_timeout : c.timeout;
  return a;
}

template <class T>
void loader_core::listen_for_cancel(operation_ptr<T> &op, std::uint64_t ticket) {
  if (!op->cancellable()) return;
  op->on_cancel([weak = weak_from_this(), ticket] {
    if (auto core = weak.lock()) core->on_loop([ticket](loader_core &self) { self.cancel(ticket); });
  });
}

void loader_core::load(bundle_source given, call c, operation_ptr<bundle> op) {
  if (auto why = runtime_->refusal()) return finish(std::move(op), result<bundle>(why));
  auto source = complete_source(std::move(given), options_.access);
  if (!source) return finish(std::move(op), result<bundle>(source.error()));
  auto a = make_asker(source->id, c);
  a->ticket = next_ticket();
  listen_for_cancel(op, a->ticket);
  auto shared = std::make_shared<operation_ptr<bundle>>(std::move(op));
  a->end = [self = std::weak_ptr(shared_from_this()), shared, id = source->id](const error &why, std::size_t) {
    auto core = self.lock();
    auto pinned = !why && core ? core->book_.pin(id) : result<bundle_book::pinned>(why ? why : forked_error());
    finish(std::move(*shared), pinned ? result<bundle>(bundle(std::move(*pinned))) : result<bundle>(pinned.error()));
  };
  on_loop([a, source = *std::move(source)](loader_core &self) {
    if (self.closing_) return self.leave(a, error(status::closed, "the bundle loader was closed", "bundle"));
    auto &f = self.followed_[source.id];
    if (!f) f = std::make_unique<followed>(*self.loop_);
    if (self.book_.configure(source))
      f->plan.configure({source.follow, self.options_.retry_first, self.options_.retry_most});
    f->timer.cancel();
    self.add(self.load_run(source), a);
    self.report_health();
  });
}

void loader_core::forget(const std::string &id, call c, operation_ptr<void> op) {
  if (auto why = runtime_->refusal()) return finish(std::move(op), result<void>(why));
  auto a = make_asker(id, c);
  a->ticket = next_ticket();
  listen_for_cancel(op, a->ticket);
  auto shared = std::make_shared<operation_ptr<void>>(std::move(op));
  a->end = [shared](const error &why, std::size_t) { finish(std::move(*shared), why ? result<void>(why) : result<void>()); };
  on_loop([a, id](loader_core &self) {
    if (self.closing_) return self.leave(a, error(status::closed, "the bundle loader was closed", "bundle"));
    self.followed_.erase(id);
    self.book_.forget(id);
    self.tell_listeners(id);
    for (auto *list : {&self.waiting_, &self.running_})
      for (const auto &r : std::list(*list)) {
        if (r->request.kind != job_kind::load || !r->has(id)) continue;
        self.finish_askers(r, &id, error(status::cancelled, "the bundle was forgotten", "bundle"));
        // Nobody waits for it any more, so nobody's deadline would end it.
        if (r->askers.empty() && !r->has_outcome) self.call_off(r);
      }
    auto r = std::make_shared<run>(*self.loop_);
    r->request.kind = job_kind::forget;
    r->request.bundles.push_back({id, "", false});
    self.add(std::move(r), a);
    self.report_health();
  });
}

void loader_core::prune(call c, operation_ptr<std::size_t> op) {
  if (auto why = runtime_->refusal()) return finish(std::move(op), result<std::size_t>(why));
  auto a = make_asker("", c);
  a->ticket = next_ticket();
  listen_for_cancel(op, a->ticket);
  auto shared = std::make_shared<operation_ptr<std::size_t>>(std::move(op));
  a->end = [shared](const error &why, std::size_t removed) {
    finish(std::move(*shared), why ? result<std::size_t>(why) : result<std::size_t>(removed));
  };
  on_loop([a](loader_core &self) {
    if (self.closing_) return self.leave(a, error(status::closed, "the bundle loader was closed", "bundle"));
    auto r = std::make_shared<run>(*self.loop_);
    r->request.kind = job_kind::prune;
    self.add(std::move(r), a);
  });
}

// ---- the schedule ----

void loader_core::schedule(const std::string &id, std::optional<follow_plan::duration> wait) {
  auto it = followed_.find(id);
  if (it == followed_.end() || !wait || closing_) return;
  auto &timer = it->second->timer;
  timer.expires_after(*wait);
  timer.async_wait([weak = weak_from_this(), id](boost::system::error_code ec) {
    auto self = weak.lock();
    if (!ec && self) self->look(id);
  });
}

bool loader_core::look_now(const std::string &id) {
  if (runtime_->refusal() || !book_.source(id)) return false;
  on_loop([id](loader_core &self) {
    if (auto it = self.followed_.find(id); it != self.followed_.end()) it->second->timer.cancel();
    self.look(id);
  });
  return true;
}

void loader_core::look(const std::string &id) {
  auto source = book_.source(id);
  if (!source || closing_) return;
  add(load_run(*source), make_asker(id, {}));
}

loader_core::run_ptr loader_core::load_run(const bundle_source &source) {
  auto r = std::make_shared<run>(*loop_);
  r->request.url = source.url;
  r->request.ref = source.ref;
  r->request.submodules = source.submodules;
  r->request.access = {source.user, source.secret, source.ssh_key, source.known_hosts, source.ca_file};
  return r;
}

void loader_core::listen(std::weak_ptr<listener> l) {
  on_loop([l = std::move(l)](loader_core &self) { self.listeners_.push_back(l); });
}

void loader_core::tell_listeners(const std::string &id) {
  listeners_.remove_if([](const auto &l) { return l.expired(); });
  for (const auto &l : std::list(listeners_))
    if (const auto alive = l.lock()) (*alive)(id);
}

// ---- component ----

std::string loader_core::left() const {
  const auto n = waiting_.size() + running_.size();
  return n == 0 ? "" : fmt::format("bundle loader '{}' ({} jobs)", name_, n);
}

void loader_core::tell_idle() {
  if (waiting_.empty() && running_.empty() && idle_) std::exchange(idle_, nullptr)();
}

void loader_core::drain(std::function<void()> idle) {
  closing_ = true;
  for (auto &[id, f] : followed_) f->timer.cancel();
  idle_ = std::move(idle);
  // What only the schedule asked for is nobody's loss.
  for (auto *list : {&waiting_, &running_})
    for (const auto &r : std::list(*list))
      for (const auto &a : std::list(r->askers))
        if (!a->end) leave(a, {});
  tell_idle();
}

void loader_core::abort() {
  auto keep = shared_from_this();
  closing_ = true;
  for (auto &[id, f] : followed_) f->timer.cancel();
  end_all(error(status::closed, "the bundle loader was closed or its runtime was shut down", "bundle"));
  programs_->close();
  events_->close(error(status::closed, "the bundle loader was closed", "bundle"));
}

void loader_core::call_off(const run_ptr &r) {
  if (r->job)
    r->job->kill();
  else if (auto lock = r->lock)
    lock->give_up();
  else
    waiting_.remove(r);
}

void loader_core::end_all(const error &why) {
  for (auto *list : {&waiting_, &running_})
    for (const auto &r : std::list(*list)) {
      finish_askers(r, nullptr, why);
      call_off(r);
    }
  waiting_.clear();
}

void loader_core::cancel(std::uint64_t ticket) {
  for (auto *list : {&waiting_, &running_})
    for (const auto &r : std::list(*list))
      for (const auto &a : std::list(r->askers))
        if (a->ticket == ticket && ticket != 0)
          return leave(a, error(status::cancelled, "the call was cancelled", "bundle"));
}

void loader_core::close() {
  // A runtime that ends aborts by itself, and its loop may run no more.
  if (runtime_->refusal()) return;
  on_loop([](loader_core &self) { self.abort(); });
}

}  // namespace corbel::detail
