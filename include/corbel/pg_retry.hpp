#pragma once
/// Runs a function in a transaction: committed when it gives a value, rolled back when it gives an error or throws, and run
/// again after a serialization failure (40001) or a deadlock (40P01), with back-off.
///
///     auto r = co_await corbel::pg_retry(pool, options, policy, call{}, [&](corbel::pg_transaction &tx)
///         -> asio::awaitable<corbel::result<int>> { ... });
///
/// The function may run several times: what it does outside of the transaction has to bear that. Nothing else is run again:
/// a COMMIT whose fate is unknown ends with LOST, maybe applied. Thread: the calling coroutine's.

#include <corbel/pg_pool.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace corbel {

struct pg_retry_policy {
  unsigned attempts = 8;                     ///< tries altogether, at least 1
  std::chrono::milliseconds first_delay{5};  ///< cap of the first random wait; it doubles
  std::chrono::milliseconds most_delay{1000};
};

/// True for errors that mean: the transaction was rolled back, and the same one may succeed when run again.
bool pg_may_rerun(const error &e) noexcept;

namespace detail {
/// The wait before the try after `tries`: random up to the cap. Pure but for the randomness.
std::chrono::milliseconds pg_retry_delay(const pg_retry_policy &policy, unsigned tries);
/// What is left of a call's time; an error when nothing is.
result<call> pg_time_left(const call &c, std::chrono::steady_clock::time_point began);

template <class R, class F>
boost::asio::awaitable<R> pg_run_once(const pg_pool &pool, const pg_transaction_options &options, call c, F &fn) {
  auto begun = co_await pool.async_begin(options, c, boost::asio::use_awaitable);
  if (!begun) co_return R(begun.error());
  auto tx = std::move(*begun);
  R outcome = co_await fn(tx);
  if (!outcome) {
    if (tx) (void)co_await tx.async_rollback(c, boost::asio::use_awaitable);
    co_return outcome;
  }
  if (tx) {  // else the function has ended it itself
    auto committed = co_await tx.async_commit(c, boost::asio::use_awaitable);
    if (!committed) co_return R(committed.error());
  }
  co_return outcome;
}
}  // namespace detail

template <class F, class R = typename std::invoke_result_t<F &, pg_transaction &>::value_type>
boost::asio::awaitable<R> pg_retry(pg_pool pool, pg_transaction_options options, pg_retry_policy policy, call c, F fn) {
  const auto began = std::chrono::steady_clock::now();
  for (unsigned tries = 1;; ++tries) {
    auto left = detail::pg_time_left(c, began);
    if (!left) co_return R(left.error());
    R outcome = co_await detail::pg_run_once<R>(pool, options, *left, fn);
    if (outcome || !pg_may_rerun(outcome.error()) || tries >= policy.attempts) co_return outcome;
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(detail::pg_retry_delay(policy, tries));
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

}  // namespace corbel
