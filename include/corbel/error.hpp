#pragma once
/// Errors as values: a status, where it came from, the source's own code, one line of text, flags.
/// An error is immutable, cheap to copy (one reference count) and may be read by any thread at once.

#include <corbel/c/base.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace corbel {

/// The statuses of corbel/c/base.h, number by number.
enum class status : std::int32_t {
  ok = CORBEL_OK,
  invalid = CORBEL_INVALID,
  state = CORBEL_STATE,
  closed = CORBEL_CLOSED,
  forked = CORBEL_FORKED,
  no_memory = CORBEL_NO_MEMORY,
  busy = CORBEL_BUSY,
  timeout = CORBEL_TIMEOUT,
  cancelled = CORBEL_CANCELLED,
  lost = CORBEL_LOST,
  refused = CORBEL_REFUSED,
  unavailable = CORBEL_UNAVAILABLE,
  protocol = CORBEL_PROTOCOL,
  unsupported = CORBEL_UNSUPPORTED,
  internal = CORBEL_INTERNAL,
};

/// "OK", "INVALID", ...; "UNKNOWN" for a number that is none of ours.
const char *status_name(status s) noexcept;

/// What failed. Default-constructed it is success.
class error {
 public:
  enum flag : std::uint32_t {
    retriable = CORBEL_ERROR_RETRIABLE,
    fatal = CORBEL_ERROR_FATAL,
    maybe_applied = CORBEL_ERROR_MAYBE_APPLIED,
  };

  error() noexcept = default;
  /// source: "redis", "queue", "runtime", "os", "tls", "dns"; native: the source's code, such as "WRONGTYPE".
  error(status s, std::string message, std::string source = "runtime", std::string native = {}, std::uint32_t flags = 0);

  /// An error that needs no memory to be made.
  static const error &out_of_memory() noexcept;

  explicit operator bool() const noexcept { return data_ != nullptr; }
  corbel::status code() const noexcept { return data_ ? data_->code : status::ok; }
  const std::string &message() const noexcept;
  const std::string &source() const noexcept;
  const std::string &native() const noexcept;
  std::uint32_t flags() const noexcept { return data_ ? data_->flags : 0; }
  bool is(corbel::status s) const noexcept { return code() == s; }
  bool may_retry() const noexcept { return (flags() & retriable) != 0; }
  bool may_be_applied() const noexcept { return (flags() & maybe_applied) != 0; }

 private:
  struct data {
    corbel::status code;
    std::uint32_t flags;
    std::string message, source, native;
  };
  explicit error(std::shared_ptr<const data> d) noexcept : data_(std::move(d)) {}
  std::shared_ptr<const data> data_;
};

/// Thrown only by result<T>::value() and by constructors that cannot return a result.
class failure : public std::exception {
 public:
  explicit failure(corbel::error e) noexcept : error_(std::move(e)) {}
  const corbel::error &error() const noexcept { return error_; }
  const char *what() const noexcept override { return error_.message().c_str(); }

 private:
  corbel::error error_;
};

}  // namespace corbel
