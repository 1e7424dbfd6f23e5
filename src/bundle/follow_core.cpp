// Following a registry: its channel, its reading, and what is done about it.
#include "bundle/follow_core.hpp"

#include "bundle/registry_update.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

namespace {

constexpr std::chrono::seconds subscribe_again{5}, file_deadline{10};

error trouble_of(std::string text) {
  return error(status::unavailable, std::move(text), "bundle", "REGISTRY", error::retriable);
}

/// What the loader calls when it is done.
template <class T, class F>
operation_ptr<T> then(F f, const io_executor &where) {
  return operation_ptr<T>(new handler_operation<T, F>(std::move(f), where));
}

}  // namespace

follow_core::follow_core(std::shared_ptr<loader_core> loader, std::optional<redis_pool> pool, bundle_follow_options options)
    : loader_(std::move(loader)),
      loop_(loader_->shared_loop()),
      pool_(std::move(pool)),
      options_(std::move(options)),
      where_(options_.file.empty() ? bundle_registry_key(options_) : options_.file),
      channel_(bundle_update_channel(options_)),
      name_(loader_->runtime().claim_name("bundles:registry")),
      registry_plan_(options_.follow, options_.required),
      retry_(loop_->context()),
      resubscribe_(loop_->context()),
      file_timer_(loop_->context()) {}

follow_core::~follow_core() {
  if (loader_->runtime().forked()) return;
  loader_->runtime().forget_shutdown(shutdown_hook_);
  loader_->runtime().health().remove(name_);
  loader_->runtime().free_name(name_);
}

template <class... Ps, class... As>
void follow_core::later(void (follow_core::*member)(Ps...), As... as) {
  loop_->post([weak = weak_from_this(), member, ... as = std::move(as)]() mutable {
    if (auto self = weak.lock(); self && !self->stopped_) (self.get()->*member)(std::move(as)...);
  });
}

void follow_core::start() {
  loader_->runtime().health().set({.part = name_,
                                   .state = health_state::unknown,
                                   .reason = fmt::format("{} was not read yet", where_),
                                   .required = true});
  shutdown_hook_ = loader_->runtime().at_shutdown([weak = weak_from_this()] {
    if (auto self = weak.lock())
      self->later(&follow_core::stop, error(status::closed, "the runtime was shut down", "bundle"));
  });
  later(&follow_core::begin);
}

void follow_core::begin() {
  if (pool_) {
    subscription_.emplace(*pool_, 64);
    receive();
    subscribe();
  }
  if (!options_.file.empty()) perform(plan_.subscribed());
}

void follow_core::close() noexcept {
  if (loader_->runtime().refusal()) return;  // its loop may run no more
  try {
    loop_->post([self = shared_from_this()] {
      if (!self->stopped_) self->stop(error(status::closed, "the registry is not followed any more", "bundle"));
    });
  } catch (const std::bad_alloc &) {
    // It ends with its last reference.
  }
}

void follow_core::stop(const error &why) {
  stopped_ = true;
  end_ = why;
  retry_.cancel();
  resubscribe_.cancel();
  file_timer_.cancel();
  subscription_.reset();
  for (auto &[id, w] : std::exchange(waiting_, {})) finish(std::move(w.op), result<std::size_t>(why));
}

// ---- the channel ----

void follow_core::subscribe() {
  subscription_->async_change(redis_subscription::change::subscribe, channel_, {.timeout = call::unlimited},
                              [weak = weak_from_this()](const result<bool> &r) {
                                if (auto self = weak.lock()) self->later(&follow_core::subscribed, r ? error() : r.error());
                              });
}

void follow_core::subscribed(const error &why) {
  if (why.is(status::closed)) return stop(why);
  if (why) {  // a cap of one connection, or missing rights: the registry can still be read
    report(trouble_of(fmt::format("cannot subscribe to {}: {}", channel_, why.message())));
    resubscribe_.expires_after(subscribe_again);
    resubscribe_.async_wait([weak = weak_from_this()](const boost::system::error_code &ec) {
      auto self = weak.lock();
      if (!ec && self && !self->stopped_) self->subscribe();
    });
  }
  perform(plan_.subscribed());
}

void follow_core::receive() {
  subscription_->async_receive([weak = weak_from_this()](result<std::vector<redis_notice>> batch) {
    if (auto self = weak.lock()) self->later(&follow_core::received, std::move(batch));
  });
}

void follow_core::received(const result<std::vector<redis_notice>> &batch) {
  if (!batch) return stop(batch.error());
  receive();
  for (const auto &notice : *batch) {
    if (notice.type == redis_notice::kind::message) hint(notice.payload());
    if (notice.type == redis_notice::kind::resubscribed || notice.dropped != 0) perform(plan_.subscribed());
  }
}

void follow_core::hint(std::string_view message) {
  auto named = read_registry_update(message, options_.tenant, options_.project);
  if (named)
    registry_plan_.named(*named);
  else
    loader_->runtime().log(log_level::warning, name_,
                           fmt::format("a message on {} is no update: {}", channel_, named.error().message()));
  perform(plan_.hinted());
}

// ---- the registry ----

void follow_core::perform(copy_plan::action a) {
  if (a == copy_plan::action::read) read();
  if (a == copy_plan::action::retry_later) retry_later();
}

void follow_core::read() {
  if (options_.file.empty()) {
    pool_->async_send(redis_command("GET", where_), {.idempotent = true},
                      [weak = weak_from_this()](const result<redis_reply> &r) {
                        auto self = weak.lock();
                        if (!self) return;
                        registry_text t;
                        if (!r)
                          t.why = r.error();
                        else if (!r->root().is_nil())
                          t = {std::string(r->root().text()), true, {}};
                        self->later(&follow_core::was_read, std::move(t));
                      });
    return;
  }
  file_timer_.cancel();
  auto text = std::make_shared<registry_text>();
  loader_->runtime().blocking().run(
      loop_, file_deadline, [text, path = options_.file] { *text = read_bundles_file(path); },
      [weak = weak_from_this(), text](bool ran) {
        if (auto self = weak.lock())
          self->later(&follow_core::was_read,
                      ran ? std::move(*text) : registry_text{.why = trouble_of("the disk does not answer")});
      });
}

void follow_core::was_read(registry_text text) {
  const auto next = plan_.ended(!text.why);
  if (text.why) {
    report(trouble_of(fmt::format("cannot read {}: {}", where_, text.why.message())));
    apply(registry_plan_.missing());
  }
  if (next == copy_plan::action::apply) {
    was_read_ = true;
    take(text);
    tell_ready();
    perform(plan_.next());
  } else {
    perform(next);
  }
  if (!options_.file.empty()) look_at_file_later();
}

void follow_core::take(const registry_text &text) {
  if (!text.is_there) {
    last_text_.clear();
    const bool never_was = options_.file.empty() && registry_plan_.empty();
    report(never_was ? error() : trouble_of(fmt::format("there is no {}; what runs stays", where_)));
    return apply(registry_plan_.missing());
  }
  auto now = registry();
  if (std::exchange(last_text_, text.text) != text.text) {
    auto next = std::make_shared<const bundle_registry>(read_bundle_registry(text.text));
    for (const auto &f : next->faults) {
      if (std::ranges::find(now->faults, f) != now->faults.end()) continue;
      auto why = error(status::invalid, fmt::format("{}: {}: {}", where_, f.path, f.text), "bundle", "REGISTRY");
      loader_->runtime().log(log_level::error, name_, why.message());
      loader_->events().put({.what = bundle_event_kind::refused, .id = f.id, .why = std::move(why)});
    }
    now = std::move(next);
    std::lock_guard lock(mutex_);
    registry_ = now;
  }
  if (now->faults.empty()) {
    report({});
  } else {
    const auto &f = now->faults.front();
    report(error(status::invalid,
                 fmt::format("{}: {} faults; the first: {}: {}", where_, now->faults.size(), f.path, f.text), "bundle",
                 "REGISTRY"));
  }
  apply(registry_plan_.read(*now));
}

void follow_core::apply(registry_plan::change change) {
  for (auto &id : change.forget) {
    loader_->runtime().log(log_level::info, name_, fmt::format("bundle '{}' is listed no more: forgotten", id));
    loader_->events().put({.what = bundle_event_kind::forgotten, .id = id});
    failed_.erase(id);
    loader_->forget(id, {}, then<void>([](const result<void> &) {}, loop_->executor()));
  }
  const auto &o = loader_->options();
  const auto rounds = static_cast<long>(1 + (loading_ + change.load.size()) / o.max_running);
  for (auto &source : change.load) {
    ++loading_;
    auto id = source.id;
    loader_->load(std::move(source), {.timeout = o.network_timeout * rounds},
                  then<bundle>(
                      [weak = weak_from_this(), id](const result<bundle> &r) {
                        if (auto self = weak.lock()) self->later(&follow_core::loaded, id, r ? error() : r.error());
                      },
                      loop_->executor()));
  }
  for (const auto &id : change.look) loader_->look_now(id);
}

void follow_core::loaded(const std::string &id, const error &why) {
  --loading_;
  failed_.erase(id);
  if (why && registry_plan_.has(id)) failed_.emplace(id, why);
  // What the loader does not even begin, it tells nobody else.
  if (why.is(status::invalid)) {
    loader_->runtime().log(log_level::error, name_, fmt::format("bundle '{}': {}", id, why.message()));
    loader_->events().put({.what = bundle_event_kind::refused, .id = id, .why = why});
  }
  tell_ready();
}

}  // namespace corbel::detail
