#pragma once
/// Owns: what one connection has sent and the server has not finished, oldest first: statements, preparations, and the syncs
/// that end a group of them. A statement whose caller has left keeps its place without a request. Thread: the connection's.

#include <corbel/detail/pg_request.hpp>

#include <cstddef>
#include <cstdint>
#include <libpq-fe.h>
#include <vector>

namespace corbel::detail {

struct pending {
  enum class kind : std::uint8_t { statement, prepare, deallocate, sync };
  kind what = kind::statement;
  bool is_read = false;           // libpq has given all of it
  pg_request *request = nullptr;  // statement: none when it was abandoned
  PGresult *result = nullptr;     // the last one that came
  std::uint64_t prepared = 0;     // which prepared statement
};

class pending_ring {
 public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  void push(pending p) {
    if (size_ == places_.size()) grow();
    at(size_++) = p;
  }
  pending &at(std::size_t i) noexcept { return places_[(first_ + i) & (places_.size() - 1)]; }
  const pending &at(std::size_t i) const noexcept { return places_[(first_ + i) & (places_.size() - 1)]; }
  void pop() noexcept {
    first_ = (first_ + 1) & (places_.size() - 1);
    --size_;
    if (read_ != 0) --read_;
  }
  /// Which one libpq works on.
  std::size_t reading() const noexcept { return read_; }
  void read_next() noexcept { ++read_; }
  template <class F>
  void for_each(F fn) {
    for (std::size_t i = 0; i < size_; ++i) fn(at(i));
  }

 private:
  void grow() {
    std::vector<pending> larger(places_.empty() ? 8 : places_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = at(i);
    places_.swap(larger);
    first_ = 0;
  }
  std::vector<pending> places_;  // size: a power of two
  std::size_t first_ = 0, size_ = 0, read_ = 0;
};

}  // namespace corbel::detail
