// Who waits for a followed registry, what it tells, its file; and the public face.
#include "bundle/follow_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace corbel {

namespace detail {

registry_text read_bundles_file(const std::string &path) {
  constexpr std::size_t most = std::size_t{2} << 20;  // what is longer is cut where its reader refuses it
  registry_text out;
  const auto fail = [&](int code) {
    if (code != ENOENT) out.why = error(status::unavailable, std::system_category().message(code), "os");
    return out;
  };
  const owned_descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return fail(errno);
  struct stat s;
  if (::fstat(file.get(), &s) != 0) return fail(errno);
  if (!S_ISREG(s.st_mode)) return fail(EINVAL);
  char part[16384];
  while (out.text.size() < most) {
    const auto n = ::read(file.get(), part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(errno);
    if (n == 0) break;
    out.text.append(part, static_cast<std::size_t>(n));
  }
  out.is_there = true;
  return out;
}

std::shared_ptr<const bundle_registry> follow_core::registry() const {
  std::lock_guard lock(mutex_);
  return registry_;
}

error follow_core::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

void follow_core::report(error why) {
  // What lasts is logged once.
  if (std::exchange(last_line_, why.message()) != why.message() && why)
    loader_->runtime().log(log_level::warning, name_, why.message());
  const bool unread = !was_read_ && why.is(status::unavailable);
  loader_->runtime().health().set({.part = name_,
                                   .state = !why     ? health_state::ok
                                            : unread ? health_state::unknown
                                                     : health_state::degraded,
                                   .reason = why.message(),
                                   .required = true});
  std::lock_guard lock(mutex_);
  trouble_ = std::move(why);
}

void follow_core::retry_later() {
  retry_.expires_after(std::chrono::seconds(1));
  retry_.async_wait([weak = weak_from_this()](const boost::system::error_code &ec) {
    auto self = weak.lock();
    if (!ec && self && !self->stopped_) self->perform(self->plan_.retry());
  });
}

void follow_core::look_at_file_later() {
  file_timer_.expires_after(options_.file_look);
  file_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code &ec) {
    auto self = weak.lock();
    if (!ec && self && !self->stopped_) self->perform(self->plan_.hinted());
  });
}

void follow_core::ready(operation_ptr<std::size_t> op, call c, std::uint64_t ticket) {
  if (auto why = loader_->runtime().refusal()) return finish(std::move(op), result<std::size_t>(why));
  const auto timeout = c.timeout.count() == 0 ? loader_->options().network_timeout : c.timeout;
  auto shared = std::make_shared<operation_ptr<std::size_t>>(std::move(op));
  loop_->post([self = shared_from_this(), shared, timeout, ticket] {
    if (self->stopped_) return finish(std::move(*shared), result<std::size_t>(self->end_));
    waiter w{std::move(*shared), ticket, nullptr};
    const auto id = ++self->last_waiter_;
    if (timeout.count() > 0) {
      w.deadline = std::make_unique<boost::asio::steady_timer>(self->loop_->context(), timeout);
      w.deadline->async_wait([weak = self->weak_from_this(), id, timeout](const boost::system::error_code &ec) {
        auto core = weak.lock();
        if (ec || !core) return;
        if (auto node = core->waiting_.extract(id))
          finish(std::move(node.mapped().op), result<std::size_t>(core->late(timeout)));
      });
    }
    self->waiting_.emplace(id, std::move(w));
    self->tell_ready();
  });
}

error follow_core::late(std::chrono::milliseconds timeout) const {
  auto text = was_read_ ? fmt::format("{} bundles of {} were not loaded within {} ms", loading_, where_, timeout.count())
                        : fmt::format("{} was not read within {} ms; the last trouble: {}", where_, timeout.count(),
                                      last_line_.empty() ? "none" : last_line_);
  return error(status::timeout, std::move(text), "bundle", "READY", error::retriable);
}

void follow_core::cancel(std::uint64_t ticket) {
  loop_->post([weak = weak_from_this(), ticket] {
    auto self = weak.lock();
    if (!self) return;
    for (auto it = self->waiting_.begin(); it != self->waiting_.end();) {
      const auto here = it++;
      if (here->second.ticket != ticket) continue;
      auto node = self->waiting_.extract(here);
      finish(std::move(node.mapped().op), result<std::size_t>(error(status::cancelled, "the call was cancelled", "bundle")));
    }
  });
}

void follow_core::tell_ready() {
  if (!was_read_ || loading_ != 0) return;
  for (auto &[id, w] : std::exchange(waiting_, {})) finish(std::move(w.op), result<std::size_t>(failed_.size()));
}

}  // namespace detail

std::string bundle_registry_key(const bundle_follow_options &o) {
  return fmt::format("kdcube:config:bundles:mapping:{}:{}", o.tenant, o.project);
}

std::string bundle_update_channel(const bundle_follow_options &o) {
  return fmt::format("kdcube:config:bundles:update:{}:{}", o.tenant, o.project);
}

std::string find_bundles_file(const std::function<std::optional<std::string>(const std::string &name)> &variables) {
  const auto folder = variables("PLATFORM_DESCRIPTORS_DIR").value_or("");
  const auto named = variables("BUNDLES_YAML_DESCRIPTOR_PATH").value_or("");
  for (const auto &path :
       {named, folder.empty() ? std::string() : folder + "/bundles.yaml", std::string("/config/bundles.yaml")}) {
    const bool is_path = path.starts_with('/') && path != "/dev/null" && std::ranges::find(path, '\n') == path.end();
    if (is_path && !path.ends_with("assembly.yaml") && ::access(path.c_str(), R_OK) == 0) return path;
  }
  return {};
}

bundle_follower::bundle_follower(const bundles &loader, std::optional<redis_pool> pool, bundle_follow_options options) {
  const auto refuse = [](std::string text) { throw failure(error(status::invalid, std::move(text), "bundle", "OPTION")); };
  if (auto why = loader.core()->runtime().refusal()) throw failure(why);
  if (options.file.empty() && !pool) refuse("there is neither a file nor a Redis pool to read the registry from");
  if (!options.file.empty() && !options.file.starts_with('/')) refuse("file: give an absolute path");
  if (options.tenant.empty() || options.project.empty()) refuse("tenant or project is empty");
  if (options.file_look <= options.file_look.zero()) refuse("file_look is not positive");
  if (options.follow < options.follow.zero()) refuse("follow is negative");
  auto core = std::make_shared<detail::follow_core>(loader.core(), std::move(pool), std::move(options));
  core->start();
  core_ = std::shared_ptr<detail::follow_core>(core.get(), [core](detail::follow_core *) mutable {
    if (core->loader().runtime().forked())
      detail::leave_to_parent(core);
    else
      core->close();
  });
}

bundle_follower::~bundle_follower() = default;
bundle_follower::bundle_follower(bundle_follower &&) noexcept = default;
bundle_follower &bundle_follower::operator=(bundle_follower &&) noexcept = default;

std::shared_ptr<const bundle_registry> bundle_follower::registry() const { return core_->registry(); }
error bundle_follower::trouble() const { return core_->trouble(); }
detail::io_executor bundle_follower::executor() const { return core_->loader().executor(); }
void bundle_follower::start_ready(const std::shared_ptr<detail::follow_core> &core, call c,
                                  detail::operation_ptr<std::size_t> op) {
  if (op->cancellable()) {
    const auto ticket = core->loader().next_ticket();
    op->on_cancel([weak = std::weak_ptr(core), ticket] {
      if (auto alive = weak.lock()) alive->cancel(ticket);
    });
    return core->ready(std::move(op), c, ticket);
  }
  core->ready(std::move(op), c);
}

}  // namespace corbel
