#pragma once
/// One SQL statement with its parameters, $1, $2, ..., encoded as it is built. One allocation holds text and parameters.
///
///     pg_statement("SELECT name FROM users WHERE id = $1", id)
///     pg_statement("INSERT INTO t VALUES ($1, $2)").push(std::nullopt).push("text").binary_result()

#include <corbel/detail/pg_encode.hpp>

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace corbel {

class pg_statement {
 public:
  enum flag : std::uint32_t {
    /// Only reads. It may share one round trip, and with it one implicit transaction, with other statements marked so; and
    /// it may be sent once more after a loss. Marking one that writes loses the right to know what was written.
    is_read_only = 1,
    no_prepare = 2,     ///< never in the cache of prepared statements
    wants_binary = 4,   ///< result in binary format, all columns
    is_idempotent = 8,  ///< may be sent once more after a loss, like call::idempotent
  };

  template <class... Args>
  explicit pg_statement(std::string_view sql, const Args &...args) {
    bytes_.reserve(sql.size() + 8 + sizeof...(args) * 16);
    set_sql(sql);
    (push(args), ...);
  }

  /// The next parameter. std::nullopt is NULL.
  template <class T>
  pg_statement &push(const T &value) {
    const auto begin = bytes_.size();
    const auto e = detail::pg_encode(bytes_, value);
    return add(begin, e.is_null, e.type, e.is_binary);
  }
  /// The next parameter as it is on the wire. type: its oid, 0 to let the server infer it.
  pg_statement &push_raw(std::string_view bytes, std::uint32_t type = 0, bool is_binary = false);
  pg_statement &push_null(std::uint32_t type = 0);

  pg_statement &read_only() noexcept { return set(is_read_only); }
  pg_statement &unprepared() noexcept { return set(no_prepare); }
  pg_statement &binary_result() noexcept { return set(wants_binary); }
  pg_statement &idempotent() noexcept { return set(is_idempotent); }
  pg_statement &set(std::uint32_t flags) noexcept {
    flags_ |= flags;
    return *this;
  }

  std::string_view sql() const noexcept { return std::string_view(bytes_.data(), sql_size_); }
  std::uint32_t flags() const noexcept { return flags_; }
  bool has(flag f) const noexcept { return (flags_ & f) != 0; }
  std::size_t parameters() const noexcept { return parameters_.size(); }

  struct parameter {
    std::uint32_t offset = 0;  ///< into bytes(); a NUL follows the value
    std::int32_t size = -1;    ///< -1: NULL
    std::uint32_t type = 0;
    std::int32_t format = 0;  ///< 1: binary
  };
  const parameter &at(std::size_t i) const noexcept { return parameters_[i]; }
  const char *bytes() const noexcept { return bytes_.data(); }
  /// Of the text alone; computed once.
  std::size_t hash() const noexcept { return hash_; }

 private:
  void set_sql(std::string_view sql);
  pg_statement &add(std::size_t begin, bool is_null, std::uint32_t type, bool is_binary);

  std::string bytes_;  // text, NUL, then each value and a NUL
  boost::container::small_vector<parameter, 4> parameters_;
  std::size_t sql_size_ = 0, hash_ = 0;
  std::uint32_t flags_ = 0;
};

}  // namespace corbel
