// Following a document: the channel, the copy, what is taken and what is refused.
#include "gateway/core.hpp"

#include "base/code_point.hpp"
#include "gateway/update_message.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;

namespace {
constexpr std::chrono::seconds ask_again{1}, subscribe_again{5};
const char *const part = "gateway:config";

/// A document that came while the settings `now` count, as another or the same component reads it.
gateway_reading read_again(std::string_view document, const gateway_settings &now, const std::string &component,
                           const std::string &source) {
  auto given = [&](const char *path, const std::string &text) {
    auto it = now.origins.find(path);
    return gateway_context::value{text, it == now.origins.end() ? std::string() : it->second.text()};
  };
  gateway_context context;
  context.component = component;
  context.source = source;
  context.tenant = given("tenant", now.tenant);
  context.project = given("project", now.project);
  context.instance_id = given("instance_id", now.instance_id);
  context.redis_url = given("redis_url", now.redis_url);
  context.update = true;
  return read_gateway(document, context);
}

}  // namespace

gateway_core::gateway_core(std::shared_ptr<runtime_core> rt, const redis_pool &pool, gateway_load start,
                           gateway_config_options options)
    : runtime_(std::move(rt)),
      pool_(pool),
      options_(std::move(options)),
      document_(std::move(start.document)),
      key_(gateway_copy_key(start.reading.settings)),
      channel_(gateway_update_channel(start.reading.settings)),
      plan_(start.forced),
      retry_(pool.executor()),
      resubscribe_(pool.executor()),
      current_(std::make_shared<const gateway_settings>(std::move(start.reading.settings))),
      source_(start.reading.source),
      document_now_(document_) {
  for (auto &w : start.reading.warnings) runtime_->log(log_level::warning, part, w.text());
}

gateway_core::~gateway_core() = default;

void gateway_core::start() {
  runtime_->health().set({.part = part, .state = health_state::ok});
  metrics_source_ = runtime_->metrics().add_source([weak = weak_from_this()](metrics_writer &w) {
    if (auto self = weak.lock()) self->write_metrics(w);
  });
  boost::asio::post(pool_.executor(), [self = shared_from_this()] {
    if (self->stopped_) return;
    self->subscription_.emplace(self->pool_, 64);
    self->receive();
    self->subscribe();
  });
}

void gateway_core::close() noexcept {
  {
    std::lock_guard lock(mutex_);
    for (auto &[id, who] : listeners_) who->thread->close();
    listeners_.clear();
  }
  runtime_->metrics().remove_source(metrics_source_);
  runtime_->health().remove(part);
  if (stopped_) return;  // its loop may be gone
  boost::asio::post(pool_.executor(), [self = shared_from_this()] {
    self->stop(error(status::closed, "the gateway's configuration is not followed any more", "config"));
  });
}

void gateway_core::stop(const error &why) {
  if (stopped_.exchange(true)) return;
  end_ = why;
  retry_.cancel();
  resubscribe_.cancel();
  subscription_.reset();
  tell_ready(result<void>(why));
}

void gateway_core::subscribe() {
  subscription_->async_change(redis_subscription::change::subscribe, channel_, {.timeout = call::unlimited},
                              [self = shared_from_this()](result<bool> r) {
                                if (self->stopped_) return;
                                if (!r && r.error().is(status::closed)) return self->stop(r.error());
                                if (!r) {  // a cap of one connection, or missing rights: the copy can still be asked for
                                  self->ended("subscribe to", r.error());
                                  self->resubscribe_.expires_after(subscribe_again);
                                  self->resubscribe_.async_wait([self](const boost::system::error_code &ec) {
                                    if (!ec && !self->stopped_) self->subscribe();
                                  });
                                }
                                self->perform(self->plan_.subscribed());
                              });
}

void gateway_core::receive() {
  subscription_->async_receive(
      [self = shared_from_this()](result<std::vector<redis_notice>> batch) { self->received(batch); });
}

void gateway_core::received(const result<std::vector<redis_notice>> &batch) {
  if (stopped_) return;
  if (!batch) return stop(batch.error());
  receive();
  for (const auto &notice : *batch) {
    if (notice.type == redis_notice::kind::message) take_update(notice.payload());
    if (notice.type == redis_notice::kind::resubscribed) perform(plan_.subscribed());
  }
}

void gateway_core::perform(copy_plan::action a) {
  if (a == copy_plan::action::read) read_copy();
  if (a == copy_plan::action::write) write_copy();
  if (a == copy_plan::action::retry_later) retry_later();
}

void gateway_core::read_copy() {
  pool_.async_send(redis_command("GET", key_), {.idempotent = true},
                   [self = shared_from_this()](const result<redis_reply> &r) {
                     if (self->stopped_) return;
                     if (!r) self->ended("read", r.error());
                     const auto next = self->plan_.ended(r.has_value());
                     if (next == copy_plan::action::apply) {
                       if (!r->root().is_nil()) self->take(r->root().text(), "the copy in Redis");
                       self->perform(self->plan_.next());
                     } else {
                       self->perform(next);
                     }
                     if (r) self->tell_ready({});
                   });
}

void gateway_core::write_copy() {
  pool_.async_send(redis_command("SET", key_, document_), {.idempotent = true},
                   [self = shared_from_this()](const result<redis_reply> &r) {
                     if (self->stopped_) return;
                     if (r && self->options_.publish) return self->publish_copy();
                     if (!r) self->ended("write", r.error());
                     self->perform(self->plan_.ended(r.has_value()));
                     if (r) self->tell_ready({});
                   });
}

void gateway_core::publish_copy() {
  const auto message = write_update(*current(), document_, options_.actor, std::chrono::system_clock::now());
  pool_.async_send(redis_command("PUBLISH", channel_, message), {.idempotent = true},
                   [self = shared_from_this()](const result<redis_reply> &r) {
                     if (self->stopped_) return;
                     if (!r) self->ended("publish", r.error());
                     self->perform(self->plan_.ended(r.has_value()));
                     if (r) self->tell_ready({});
                   });
}

void gateway_core::ended(const char *what, const error &why) {
  const auto line = fmt::format("cannot {} {}: {}; trying again", what, *what == 's' ? channel_ : key_, why.message());
  if (std::exchange(last_trouble_, line) != line) runtime_->log(log_level::warning, part, line);
}

void gateway_core::retry_later() {
  retry_.expires_after(ask_again);
  retry_.async_wait([self = shared_from_this()](const boost::system::error_code &ec) {
    if (!ec && !self->stopped_) self->perform(self->plan_.retry());
  });
}

void gateway_core::take_update(std::string_view message) {
  const auto now = current();
  auto update = read_update(message, now->tenant, now->project);
  if (!update)
    return refuse(error(status::invalid, fmt::format("a message on {} is no update: {}", channel_, update.error().message()),
                        "config", "UPDATE"));
  plan_.updated();
  take(update->config, update->actor.empty() ? "an update" : fmt::format("an update by {}", one_line(update->actor)));
}

void gateway_core::take(std::string_view document, const std::string &source) {
  const auto now = current();
  auto read = read_again(document, *now, now->component, source);
  if (!read) return refuse(read.why());
  for (auto &w : read.warnings) runtime_->log(log_level::warning, part, w.text(), {{"source", source}});
  adopt(std::move(read.settings), document, source);
}

gateway_change gateway_core::now(const std::string &component) const {
  std::unique_lock lock(mutex_);
  gateway_change own{current_, {}, source_};
  if (component.empty() || component_name(component) == current_->component) return own;
  const auto document = document_now_;
  lock.unlock();
  auto read = read_again(document, *own.settings, component, own.source);
  if (read) own.settings = std::make_shared<const gateway_settings>(std::move(read.settings));
  return own;
}

void gateway_core::adopt(gateway_settings s, std::string_view document, const std::string &source) {
  auto next = std::make_shared<const gateway_settings>(std::move(s));
  std::vector<std::shared_ptr<told>> listeners;
  std::vector<std::string> changes;
  {
    std::lock_guard lock(mutex_);
    const bool same = current_->same_values(*next);
    if (!same) changes = settings_changes(*current_, *next);
    current_ = next;
    source_ = source;
    document_now_ = document;
    refused_ = {};
    ++(same ? unchanged_ : applied_);
    for (auto &[id, who] : listeners_)
      if (!same || !who->component.empty()) listeners.push_back(who);
  }
  last_trouble_.clear();
  runtime_->health().set({.part = part, .state = health_state::ok});
  if (!changes.empty())
    runtime_->log(log_level::info, part,
                  fmt::format("{} values changed by {}: {}", changes.size(), source, fmt::join(changes, "; ")));
  for (auto &who : listeners) tell(who);
}

void gateway_core::refuse(error why) {
  {
    std::lock_guard lock(mutex_);
    refused_ = why;
    ++refusals_;
  }
  const auto line = fmt::format("refused, the running settings stay: {}", why.message());
  runtime_->log(log_level::error, part, line);
  runtime_->health().set({.part = part, .state = health_state::degraded, .reason = line});
}

void gateway_core::ready(operation_ptr<void> op, const call &c) {
  if (auto why = runtime_->refusal()) return finish(std::move(op), result<void>(why));
  const auto timeout = c.timeout == 0ms ? 5000ms : c.timeout;
  auto shared = std::make_shared<operation_ptr<void>>(std::move(op));
  boost::asio::post(pool_.executor(), [self = shared_from_this(), shared, timeout] {
    if (self->stopped_) return finish(std::move(*shared), result<void>(self->end_));
    if (self->plan_.is_ready()) return finish(std::move(*shared), result<void>());
    const auto id = ++self->last_waiter_;
    waiter w{std::move(*shared), nullptr};
    if (timeout > 0ms) {
      w.deadline = std::make_unique<boost::asio::steady_timer>(self->pool_.executor(), timeout);
      w.deadline->async_wait([self, id, timeout](const boost::system::error_code &ec) {
        if (ec) return;
        auto node = self->waiting_.extract(id);
        if (!node) return;
        finish(std::move(node.mapped().op),
               result<void>(
                   error(status::timeout,
                         fmt::format("{} was not {} within {} ms; the settings of {} run meanwhile; the last trouble: {}",
                                     self->key_, self->document_.empty() ? "read" : "read or written", timeout.count(),
                                     self->source(), self->last_trouble_.empty() ? "none" : self->last_trouble_),
                         "config", "READY", error::retriable)));
      });
    }
    self->waiting_.emplace(id, std::move(w));
  });
}

void gateway_core::tell_ready(const result<void> &r) {
  last_trouble_.clear();
  for (auto &[id, w] : std::exchange(waiting_, {})) {
    if (w.deadline) w.deadline->cancel();
    finish(std::move(w.op), r);
  }
}

}  // namespace corbel::detail
