#include "bundle/runner_core.hpp"

#include "bundle/program.hpp"
#include "bundle/runner_metrics.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace corbel::detail {

namespace {

constexpr json_limits task_limits{.bytes = std::size_t{16} << 20, .depth = 128};

error invalid_request(std::string text) { return error(status::invalid, std::move(text), "bundle", "REQUEST"); }
error closed_error() { return error(status::closed, "the bundle runner was closed or its runtime was shut down", "bundle"); }

host_variables read_variables(const std::vector<std::string> &names) {
  host_variables out;
  for (const auto &name : names)
    if (const char *value = std::getenv(name.c_str())) out.emplace_back(name, value);
  return out;
}

/// The task on one line.
result<std::string> one_line(const std::string &task) {
  const auto document = json_document::parse(task, task_limits);
  if (!document) return invalid_request("the task: " + document.error().message());
  std::string out;
  json_writer(out).value(document->root());
  return out;
}

}  // namespace

std::shared_ptr<runner_core> runner_core::open(std::shared_ptr<loader_core> loader, bundle_runner_options options) {
  auto &runtime = loader->runtime();
  if (auto why = runtime.refusal()) throw failure(why);
  if (options.max_waiting == 0) throw failure(error(status::invalid, "max_waiting is 0", "bundle", "OPTION"));
  auto program = find_run_program(options.program);
  if (!program) throw failure(program.error());
  auto core = std::make_shared<runner_core>(std::move(loader), std::move(options), std::move(*program));
  core->number_ = runtime.enlist(core);
  core->ticket_base_ = runtime_core::ticket_base(core->number_);
  core->metrics_source_ = runtime.metrics().add_source([weak = std::weak_ptr(core), name = core->name_](metrics_writer &w) {
    if (auto alive = weak.lock()) write_runner_metrics(w, name, alive->status());
  });
  core->listener_ = std::make_shared<loader_core::listener>([weak = std::weak_ptr(core)](const std::string &id) {
    const auto self = weak.lock();
    if (!self) return;
    const auto it = self->slots_.find(id);
    if (it == self->slots_.end()) return;
    const auto slot = it->second;
    if (auto why = slot->look()) slot->close(why);
  });
  core->loader_->listen(core->listener_);
  return core;
}

runner_core::runner_core(std::shared_ptr<loader_core> loader, bundle_runner_options options, std::string program)
    : loader_(std::move(loader)),
      loop_(loader_->where()),
      options_(std::move(options)),
      program_(std::move(program)),
      name_(loader_->runtime().claim_name("handlers")),
      variables_(read_variables(options_.environment)) {}

runner_core::~runner_core() {
  auto &runtime = loader_->runtime();
  if (runtime.forked()) return;
  runtime.metrics().remove_source(metrics_source_);
  runtime.health().remove(name_);
  runtime.delist(number_);
  runtime.free_name(name_);
}

template <class F>
void runner_core::on_loop(F f) {
  loop_->post([self = shared_from_this(), f = std::move(f)]() mutable { f(*self); });
}

// ---- calls ----

void runner_core::run(bundle_request request, bundle_runner::event_function on_event, call c,
                      operation_ptr<bundle_answer> op) {
  const auto refuse = [&op](error why) { finish(std::move(op), result<bundle_answer>(std::move(why))); };
  if (auto why = runtime().refusal()) return refuse(why);
  if (request.kind != "turn" && request.kind != "operation")
    return refuse(invalid_request(fmt::format("kind is '{}': give turn or operation", request.kind)));
  auto task = one_line(request.task);
  if (!task) return refuse(task.error());
  const auto ticket = next_ticket();
  if (op->cancellable())
    op->on_cancel([weak = weak_from_this(), ticket] {
      if (auto core = weak.lock()) core->on_loop([ticket](runner_core &self) { self.cancel(ticket); });
    });
  auto r = std::make_unique<slot_request>(
      slot_request{std::move(request.kind), std::move(*task), c.timeout, std::move(on_event), std::move(op)});
  on_loop([number = ticket - ticket_base_, id = std::move(request.bundle), r = std::move(r)](runner_core &self) mutable {
    self.add(number, id, std::move(r));
  });
}

void runner_core::add(std::uint64_t number, const std::string &id, std::unique_ptr<slot_request> r) {
  if (closing_) return finish(std::move(r->op), result<bundle_answer>(closed_error()));
  auto &slot = slots_[id];
  if (slot && slot->closed()) closed_.push_back(std::move(slot));
  if (!slot) slot = std::make_shared<runner_slot>(weak_from_this(), id);
  const auto keep = slot;
  if (auto why = keep->look()) {
    finish(std::move(r->op), result<bundle_answer>(why));
    return keep->close(why);
  }
  keep->add(number, std::move(r));
}

std::vector<bundle_runner_status> runner_core::status() const {
  std::vector<bundle_runner_status> out;
  std::lock_guard lock(mutex_);
  for (const auto &[id, s] : known_) out.push_back(s);
  return out;
}

// ---- of the slots ----

void runner_core::changed(const runner_slot &slot) {
  // One that took another's place speaks for the bundle.
  const auto it = slots_.find(slot.id());
  if (it == slots_.end() || it->second.get() != &slot) return;
  bool is_news = false;
  {
    std::lock_guard lock(mutex_);
    auto &known = known_[slot.id()];
    is_news = known.error != slot.status().error || known.id.empty();
    known = slot.status();
  }
  if (is_news) report_health();
}

void runner_core::report_health() {
  if (closing_) return;
  health_report report{.part = name_, .state = health_state::ok};
  for (const auto &s : status()) {
    if (s.error.empty()) continue;
    report.state = health_state::degraded;
    report.reason = s.id + ": " + s.error;
  }
  runtime().health().set(std::move(report));
}

void runner_core::settled(const runner_slot &slot) {
  const auto keep = shared_from_this();
  // Whoever calls holds a share of it.
  if (slot.closed() && slot.empty()) {
    closed_.remove_if([&slot](const auto &s) { return s.get() == &slot; });
    if (const auto it = slots_.find(slot.id()); it != slots_.end() && it->second.get() == &slot) {
      slots_.erase(it);
      {
        std::lock_guard lock(mutex_);
        if (const auto known = known_.find(slot.id()); known != known_.end()) known_.erase(known);
      }
      report_health();
    }
  }
  if (idle_ && left().empty()) std::exchange(idle_, nullptr)();
}

// ---- component ----

std::list<std::shared_ptr<runner_slot>> runner_core::all() const {
  auto out = closed_;
  for (const auto &[id, slot] : slots_) out.push_back(slot);
  return out;
}

std::string runner_core::left() const {
  std::size_t requests = 0, handlers = 0;
  for (const auto &slot : all()) {
    requests += slot->requests();
    handlers += slot->empty() ? 0 : 1;
  }
  if (requests == 0 && handlers == 0) return "";
  return fmt::format("bundle runner '{}' ({} requests, handlers of {} bundles)", name_, requests, handlers);
}

void runner_core::drain(std::function<void()> idle) {
  const auto keep = shared_from_this();
  closing_ = true;
  idle_ = std::move(idle);
  for (const auto &slot : all()) slot->close(closed_error());
  if (idle_ && left().empty()) std::exchange(idle_, nullptr)();
}

void runner_core::abort() {
  const auto keep = shared_from_this();
  closing_ = true;
  for (const auto &slot : all()) slot->abort(closed_error());
}

void runner_core::cancel(std::uint64_t ticket) {
  for (const auto &slot : all())
    if (slot->has(ticket - ticket_base_))
      return slot->drop(ticket - ticket_base_, error(status::cancelled, "the call was cancelled", "bundle"));
}

void runner_core::close() {
  // A runtime that ends aborts by itself, and its loop may run no more.
  if (runtime().refusal()) return;
  on_loop([](runner_core &self) { self.abort(); });
}

}  // namespace corbel::detail
