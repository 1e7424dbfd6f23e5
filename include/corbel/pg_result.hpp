#pragma once
/// What a statement gave: rows, columns, the command's tag. The library's own memory, not copied: views live as long as the
/// result.
///
///     for (auto row : *r) use(row.get<std::int64_t>(0), row.get<std::optional<std::string>>("name"));
///
/// Threads: one at a time; it may move. Reading by several threads at once is fine.

#include <corbel/detail/pg_decode.hpp>
#include <corbel/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace corbel {

class pg_row;

class pg_result {
 public:
  pg_result() noexcept = default;
  /// Takes ownership of libpq's PGresult, which this header does not name.
  explicit pg_result(void *native) noexcept : result_(native) {}
  ~pg_result();
  pg_result(pg_result &&o) noexcept : result_(std::exchange(o.result_, nullptr)) {}
  pg_result &operator=(pg_result &&o) noexcept {
    std::swap(result_, o.result_);
    return *this;
  }

  std::size_t rows() const noexcept;
  std::size_t columns() const noexcept;
  bool empty() const noexcept { return rows() == 0; }

  /// NUL-terminated; empty past the end.
  const char *name(std::size_t column) const noexcept;
  /// The type's oid; 0 past the end.
  std::uint32_t type(std::size_t column) const noexcept;
  bool is_binary(std::size_t column) const noexcept;
  /// The first column of that name, exact; npos when there is none.
  std::size_t column(std::string_view name) const noexcept;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  /// "SELECT 2", "INSERT 0 1"
  const char *tag() const noexcept;
  /// Rows that the command touched, of its tag; 0 when it has no count.
  std::uint64_t affected() const noexcept;

  /// The bytes as the server sent them; is_null past the end too.
  detail::pg_field field(std::size_t row, std::size_t column) const noexcept;
  bool is_null(std::size_t row, std::size_t column) const noexcept { return field(row, column).is_null; }
  std::string_view bytes(std::size_t row, std::size_t column) const noexcept { return field(row, column).bytes; }

  /// A typed value; status::invalid when the column is of another type, is NULL without std::optional, or is not there.
  template <class T>
  result<T> read(std::size_t row, std::size_t column) const {
    T value{};
    if (auto why = checked(row, column)) return why;
    if (auto why = detail::pg_decode(field(row, column), value)) return located(why, row, column);
    return value;
  }
  /// The same; throws failure.
  template <class T>
  T get(std::size_t row, std::size_t column) const {
    return read<T>(row, column).value();
  }

  pg_row operator[](std::size_t row) const noexcept;
  class iterator;
  iterator begin() const noexcept;
  iterator end() const noexcept;

  void *native() const noexcept { return result_; }
  /// Bytes of memory that it holds.
  std::size_t memory() const noexcept;

 private:
  error checked(std::size_t row, std::size_t column) const;
  error located(const error &why, std::size_t row, std::size_t column) const;
  void *result_ = nullptr;
};

/// A view of one row.
class pg_row {
 public:
  pg_row(const pg_result &r, std::size_t row) noexcept : result_(&r), row_(row) {}
  template <class T>
  T get(std::size_t column) const {
    return result_->get<T>(row_, column);
  }
  template <class T>
  T get(std::string_view column) const {
    return result_->get<T>(row_, result_->column(column));
  }
  bool is_null(std::size_t column) const noexcept { return result_->is_null(row_, column); }
  std::string_view bytes(std::size_t column) const noexcept { return result_->bytes(row_, column); }
  std::size_t number() const noexcept { return row_; }

 private:
  const pg_result *result_;
  std::size_t row_;
};

class pg_result::iterator {
 public:
  iterator(const pg_result *r, std::size_t row) noexcept : result_(r), row_(row) {}
  pg_row operator*() const noexcept { return pg_row(*result_, row_); }
  iterator &operator++() noexcept {
    ++row_;
    return *this;
  }
  friend bool operator==(const iterator &, const iterator &) = default;

 private:
  const pg_result *result_;
  std::size_t row_;
};

inline pg_row pg_result::operator[](std::size_t row) const noexcept { return pg_row(*this, row); }
inline pg_result::iterator pg_result::begin() const noexcept { return iterator(this, 0); }
inline pg_result::iterator pg_result::end() const noexcept { return iterator(this, rows()); }

}  // namespace corbel
