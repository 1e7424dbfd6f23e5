#include <corbel/pg_result.hpp>

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <libpq-fe.h>

namespace corbel {

namespace {
const PGresult *native_of(const void *r) noexcept { return static_cast<const PGresult *>(r); }
}  // namespace

pg_result::~pg_result() { ::PQclear(static_cast<PGresult *>(result_)); }

std::size_t pg_result::rows() const noexcept { return static_cast<std::size_t>(::PQntuples(native_of(result_))); }
std::size_t pg_result::columns() const noexcept { return static_cast<std::size_t>(::PQnfields(native_of(result_))); }

const char *pg_result::name(std::size_t column) const noexcept {
  return column < columns() ? ::PQfname(native_of(result_), static_cast<int>(column)) : "";
}
std::uint32_t pg_result::type(std::size_t column) const noexcept {
  return column < columns() ? ::PQftype(native_of(result_), static_cast<int>(column)) : 0;
}
bool pg_result::is_binary(std::size_t column) const noexcept {
  return column < columns() && ::PQfformat(native_of(result_), static_cast<int>(column)) == 1;
}

std::size_t pg_result::column(std::string_view wanted) const noexcept {
  const auto n = columns();
  for (std::size_t i = 0; i < n; ++i)
    if (wanted == ::PQfname(native_of(result_), static_cast<int>(i))) return i;
  return npos;
}

const char *pg_result::tag() const noexcept { return result_ ? ::PQcmdStatus(static_cast<PGresult *>(result_)) : ""; }

std::uint64_t pg_result::affected() const noexcept {
  if (!result_) return 0;
  const char *text = ::PQcmdTuples(static_cast<PGresult *>(result_));
  std::uint64_t n = 0;
  std::from_chars(text, text + std::strlen(text), n);
  return n;
}

detail::pg_field pg_result::field(std::size_t row, std::size_t column) const noexcept {
  detail::pg_field f;
  if (row >= rows() || column >= columns()) return f;
  const auto *r = native_of(result_);
  const int i = static_cast<int>(row), j = static_cast<int>(column);
  f.type = ::PQftype(r, j);
  f.is_binary = ::PQfformat(r, j) == 1;
  f.is_null = ::PQgetisnull(r, i, j) != 0;
  if (!f.is_null) f.bytes = {::PQgetvalue(r, i, j), static_cast<std::size_t>(::PQgetlength(r, i, j))};
  return f;
}

std::size_t pg_result::memory() const noexcept { return result_ ? ::PQresultMemorySize(native_of(result_)) : 0; }

error pg_result::checked(std::size_t row, std::size_t column) const {
  if (row < rows() && column < columns()) return {};
  if (column == npos) return error(status::invalid, "the result has no column of that name", "postgres", "COLUMN");
  return error(status::invalid,
               fmt::format("row {}, column {} of a result of {} rows and {} columns", row, column, rows(), columns()),
               "postgres", "COLUMN");
}

error pg_result::located(const error &why, std::size_t row, std::size_t column) const {
  return error(why.code(), fmt::format("row {}, column {} ({}): {}", row, column, name(column), why.message()), why.source(),
               why.native(), why.flags());
}

}  // namespace corbel
