#include "bundle/git_lock.hpp"

#include "base/random.hpp"
#include "base/utc_time.hpp"
#include "bundle/platform_names.hpp"
#include "json/writer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unistd.h>

namespace corbel::detail {

namespace {

constexpr std::chrono::milliseconds poll{500}, patience{5000};

// Asked again after a lost answer each says the same: what is ours already counts as taken.
const char *const take_source = R"(
for i = 1, #KEYS do
  local held = redis.call('GET', KEYS[i])
  if held and held ~= ARGV[1] then return 0 end
end
for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2]) end
return 1)";
const char *const renew_source = R"(
local n = 0
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then n = n + redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
end
return n)";
const char *const release_source = R"(
local n = 0
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then n = n + redis.call('DEL', KEYS[i]) end
end
return n)";

std::string random_token() {
  std::string out;
  for (int i = 0; i < 8; ++i) out += fmt::format("{:04x}", static_cast<unsigned>(random_unit() * 65536));
  return out;
}

/// Who holds it, in the form and order of the platform's own.
std::string value_of(const std::string &instance, const std::vector<std::string> &ids, const std::string &ref) {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  const auto now = std::chrono::system_clock::now();
  const std::chrono::duration<double> since = now.time_since_epoch();
  std::string out;
  json_writer w(out);
  w.begin_object().member("bundle_id", fmt::format("{}", fmt::join(ids, ","))).member("created_at", utc_text(now));
  w.member("created_ts", since.count()).key("git_ref").text_or_null(ref).member("hostname", host);
  w.member("instance_id", instance).member("operation", "git").member("owner_token", random_token());
  w.member("pid", std::int64_t{::getpid()}).member("resource_id", fmt::format("{}", fmt::join(ids, ",")));
  w.end_object();
  return out;
}

}  // namespace

git_lock::git_lock(std::shared_ptr<loop> where, const bundle_lock_options &options, std::string instance,
                   std::vector<std::string> ids, const std::string &ref, warning warn)
    : loop_(std::move(where)),
      pool_(*options.redis),
      ttl_(options.ttl),
      value_(value_of(instance, ids, ref)),
      warn_(std::move(warn)),
      timer_(loop_->context()) {
  for (const auto &id : ids) keys_.push_back(platform_lock_key(options.tenant, options.project, id, ref));
}

redis_command git_lock::command(const redis_script &script) const {
  redis_command c("EVALSHA", script.sha1(), keys_.size());
  for (const auto &key : keys_) c.push(key);
  c.push(value_);
  c.push(ttl_.count());
  return c;
}

void git_lock::answer_on_loop(redis_command c, const redis_script &script,
                              void (git_lock::*then)(const result<redis_reply> &)) {
  async_run(pool_, script, std::move(c), {.timeout = patience, .idempotent = true},
            [self = shared_from_this(), then](result<redis_reply> r) {
              self->loop_->post([self, then, r = std::move(r)] { (self.get()->*then)(r); });
            });
}

void git_lock::take(std::function<void(bool)> taken) {
  taken_ = std::move(taken);
  attempt();
}

void git_lock::attempt() {
  static const redis_script script(take_source, 1);
  answer_on_loop(command(script), script, &git_lock::attempted);
}

void git_lock::attempted(const result<redis_reply> &r) {
  if (r && r->root().integer() == 0) {
    if (!gave_up_) wait_and(poll, &git_lock::attempt);
    return;
  }
  held_ = r.has_value();
  if (gave_up_) return give_up();
  if (held_)
    renew_later();
  else
    warn_(fmt::format("the lock {} cannot be taken, the work goes on without it: {}", keys_.front(), r.error().message()));
  finish(true);
}

void git_lock::wait_and(std::chrono::milliseconds time, void (git_lock::*then)()) {
  timer_.expires_after(time);
  timer_.async_wait([weak = weak_from_this(), then](const boost::system::error_code &ec) {
    auto self = weak.lock();
    if (!ec && self && !self->gave_up_) (self.get()->*then)();
  });
}

void git_lock::renew_later() { wait_and(ttl_ / 3, &git_lock::renew); }

void git_lock::renew() {
  static const redis_script script(renew_source, 1);
  answer_on_loop(command(script), script, &git_lock::renewed);
}

void git_lock::renewed(const result<redis_reply> &r) {
  if (gave_up_) return;
  if (r && r->root().integer() != static_cast<std::int64_t>(keys_.size()))
    warn_(fmt::format("the lock {} was lost: another process may do the same work", keys_.front()));
  renew_later();
}

void git_lock::finish(bool may_begin) {
  if (auto taken = std::exchange(taken_, nullptr)) taken(may_begin);
}

void git_lock::give_up() {
  gave_up_ = true;
  timer_.cancel();
  finish(false);
  if (!std::exchange(held_, false)) return;
  static const redis_script script(release_source, 1);
  async_run(pool_, script, command(script), {.timeout = patience, .idempotent = true},
            [self = shared_from_this()](const result<redis_reply> &) {});
}

}  // namespace corbel::detail
