#pragma once
/// What a server counts, from its start on.

#include "metrics/latency_histogram.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace corbel {

/// A count that the server's thread changes and any thread reads.
class http_count {
 public:
  http_count(std::uint64_t n = 0) noexcept : value_(n) {}  // NOLINT(google-explicit-constructor): it is a number
  http_count(const http_count &other) noexcept : value_(other) {}
  http_count &operator=(const http_count &) = delete;
  operator std::uint64_t() const noexcept { return value_.load(std::memory_order_relaxed); }  // NOLINT
  http_count &operator+=(std::uint64_t n) noexcept {
    value_.fetch_add(n, std::memory_order_relaxed);
    return *this;
  }
  void operator++() noexcept { *this += 1; }
  void operator--() noexcept { value_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_;
};

struct http_stats {
  http_count accepted;        ///< connections
  http_count refused;         ///< of these, over the limit of connections
  http_count requests;        ///< read whole
  http_count malformed;       ///< answered 400, 413 or 431 before a handler saw them
  http_count timed_out;       ///< too slow to send a request or to take a response
  http_count failed;          ///< a handler threw: answered 500
  http_count answered[4];     ///< 2xx, 3xx, 4xx, 5xx
  http_count gone;            ///< none of those: the client had closed its side before the answer was ready (499)
  http_count frames_dropped;  ///< of event streams that have ended
  http_count connections;     ///< open now
  http_count streams;         ///< event streams open now
  /// From a request's last byte to its answer, of requests that are no probes.
  std::shared_ptr<detail::latency_histogram> took = std::make_shared<detail::latency_histogram>();
};

}  // namespace corbel
