#pragma once
/// Errors as values: a status, where it came from, the source's own code, one line of text, flags.
/// An error is immutable, cheap to copy (one reference count) and may be read by any thread at once.

#include <corbel/c/base.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  /// source: "redis", "postgres", "queue", "runtime", "os", "tls", "dns"; native: the source's code: "WRONGTYPE", "23505".
  error(status s, std::string message, std::string source = "runtime", std::string native = {}, std::uint32_t flags = 0);
  /// The same with named details, such as {"constraint", "users_pkey"} of PostgreSQL.
  error(status s, std::string message, std::string source, std::string native, std::uint32_t flags,
        std::vector<std::pair<std::string, std::string>> fields);

  /// An error that needs no memory to be made.
  static const error &out_of_memory() noexcept;

  explicit operator bool() const noexcept { return data_ != nullptr; }
  corbel::status code() const noexcept { return data_ ? data_->code : status::ok; }
  const std::string &message() const noexcept;
  const std::string &source() const noexcept;
  const std::string &native() const noexcept;
  std::uint32_t flags() const noexcept { return data_ ? data_->flags : 0; }
  /// A named detail; nullptr when there is none. It lives as long as the error. PostgreSQL's names: severity, detail, hint,
  /// position, internal_position, internal_query, where, schema, table, column, datatype, constraint, file, line, routine.
  const std::string *field(std::string_view name) const noexcept;
  bool is(corbel::status s) const noexcept { return code() == s; }
  bool may_retry() const noexcept { return (flags() & retriable) != 0; }
  bool may_be_applied() const noexcept { return (flags() & maybe_applied) != 0; }

 private:
  struct data {
    corbel::status code;
    std::uint32_t flags;
    std::string message, source, native;
    std::vector<std::pair<std::string, std::string>> fields;
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
