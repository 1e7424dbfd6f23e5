#pragma once
/// A Lua script, run by its SHA1 with EVALSHA and loaded when the server does not know it (NOSCRIPT).
///
///     static const corbel::redis_script incr_if(R"(...)", 1);
///     auto r = co_await corbel::async_run(redis, incr_if, incr_if.command(key, limit), {}, asio::use_awaitable);
///
/// Scripts that Redis has flushed, or that a new server never saw, cost one more round trip and nothing else.

#include <corbel/redis_pool.hpp>

#include <memory>
#include <string>

namespace corbel {

class redis_script {
 public:
  /// keys: how many of the first arguments are keys.
  redis_script(std::string source, unsigned keys);

  const std::string &source() const noexcept { return *source_; }
  const std::shared_ptr<const std::string> &shared_source() const noexcept { return source_; }
  const std::string &sha1() const noexcept { return sha1_; }
  unsigned keys() const noexcept { return keys_; }

  /// EVALSHA with the keys and arguments given.
  template <class... Args>
  redis_command command(const Args &...args) const {
    redis_command c("EVALSHA", sha1_, keys_);
    (c.push(args), ...);
    return c;
  }

 private:
  std::shared_ptr<const std::string> source_;
  std::string sha1_;
  unsigned keys_;
};

namespace detail {
void start_script(const redis_pool &pool, std::shared_ptr<const std::string> source, redis_command evalsha, call c,
                  operation_ptr<redis_reply> op);
}

/// Runs evalsha, made by script.command(), on a shared pipeline. Signature: void(result<redis_reply>). The script runs at
/// most once unless c.idempotent.
template <class Token>
auto async_run(const redis_pool &pool, const redis_script &script, redis_command evalsha, call c, Token &&token) {
  return detail::initiate<redis_reply>(
      [pool, source = script.shared_source(), evalsha = std::move(evalsha),
       c](detail::operation_ptr<redis_reply> op) mutable {
        detail::start_script(pool, std::move(source), std::move(evalsha), c, std::move(op));
      },
      pool.executor(), token);
}

}  // namespace corbel
