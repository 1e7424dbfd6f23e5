#pragma once
/// result<T>: a value or an error. What every asynchronous call completes with.

#include <corbel/error.hpp>

#include <cassert>
#include <utility>
#include <variant>

namespace corbel {

template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : held_(std::in_place_index<1>, std::move(value)) {}
  result(corbel::error e) : held_(std::in_place_index<0>, std::move(e)) { assert(std::get<0>(held_)); }

  explicit operator bool() const noexcept { return held_.index() == 1; }
  bool has_value() const noexcept { return held_.index() == 1; }

  /// The error; success when there is a value.
  corbel::error error() const {
    auto *e = std::get_if<0>(&held_);
    return e ? *e : corbel::error{};
  }
  /// The value, or throws failure.
  T &value() & { return held_.index() == 1 ? std::get<1>(held_) : throw failure(std::get<0>(held_)); }
  T &&value() && { return std::move(value()); }
  const T &value() const & { return const_cast<result *>(this)->value(); }

  /// The value; only after a check that there is one.
  T &operator*() &noexcept { return *std::get_if<1>(&held_); }
  T &&operator*() &&noexcept { return std::move(*std::get_if<1>(&held_)); }
  const T &operator*() const &noexcept { return *std::get_if<1>(&held_); }
  T *operator->() noexcept { return std::get_if<1>(&held_); }
  const T *operator->() const noexcept { return std::get_if<1>(&held_); }

 private:
  std::variant<corbel::error, T> held_;
};

template <>
class [[nodiscard]] result<void> {
 public:
  result() noexcept = default;
  result(corbel::error e) noexcept : error_(std::move(e)) {}
  explicit operator bool() const noexcept { return !error_; }
  bool has_value() const noexcept { return !error_; }
  const corbel::error &error() const noexcept { return error_; }
  void value() const {
    if (error_) throw failure(error_);
  }

 private:
  corbel::error error_;
};

}  // namespace corbel
