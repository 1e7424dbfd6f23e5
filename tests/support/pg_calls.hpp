#pragma once
/// Asynchronous calls of a PostgreSQL pool as a test makes them: started, then waited for with a bound, so that a completion
/// that never comes fails the test instead of hanging it.

#include <corbel/pg_listener.hpp>
#include <corbel/pg_pool.hpp>

#include <boost/asio/use_future.hpp>

#include <chrono>
#include <future>
#include <stdexcept>
#include <string>

namespace corbel::test {

using namespace std::chrono_literals;

inline constexpr std::chrono::seconds pg_patience{30};

/// The result, or std::runtime_error when it has not come after the limit.
template <class T>
result<T> got(std::future<result<T>> f, std::chrono::milliseconds limit = pg_patience) {
  if (f.wait_for(limit) != std::future_status::ready) throw std::runtime_error("a call has not completed");
  return f.get();
}

/// A pool, a lease or a transaction.
template <class On>
result<pg_result> ask(On &on, pg_statement s, call c = {}) {
  return got(on.async_query(std::move(s), c, boost::asio::use_future));
}
template <class On>
result<pg_result> ask(On &on, const char *sql, call c = {}) {
  return ask(on, pg_statement(sql), c);
}
inline result<pg_lease> take(const pg_pool &pool, call c = {}) { return got(pool.async_lease(c, boost::asio::use_future)); }
inline result<pg_transaction> begin(const pg_pool &pool, pg_transaction_options o = {}, call c = {}) {
  return got(pool.async_begin(o, c, boost::asio::use_future));
}

/// Text of the first value; "status native: message" of an error, so that a failed comparison tells.
inline std::string said(const error &e) {
  return e ? std::string(status_name(e.code())) + " " + e.native() + ": " + e.message() : "ok";
}
inline std::string text(const result<pg_result> &r) {
  if (!r) return said(r.error());
  if (r->rows() == 0 || r->columns() == 0) return "";
  return r->is_null(0, 0) ? "NULL" : std::string(r->bytes(0, 0));
}

}  // namespace corbel::test
