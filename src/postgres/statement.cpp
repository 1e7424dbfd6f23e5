#include <corbel/pg_statement.hpp>

#include <functional>

namespace corbel {

void pg_statement::set_sql(std::string_view sql) {
  bytes_.append(sql);
  bytes_ += '\0';
  sql_size_ = sql.size();
  hash_ = std::hash<std::string_view>()(sql);
}

pg_statement &pg_statement::add(std::size_t begin, bool is_null, std::uint32_t type, bool is_binary) {
  const auto size = bytes_.size() - begin;
  bytes_ += '\0';
  parameters_.push_back(
      {static_cast<std::uint32_t>(begin), is_null ? -1 : static_cast<std::int32_t>(size), type, is_binary ? 1 : 0});
  return *this;
}

pg_statement &pg_statement::push_raw(std::string_view bytes, std::uint32_t type, bool is_binary) {
  const auto begin = bytes_.size();
  bytes_ += bytes;
  return add(begin, false, type, is_binary);
}

pg_statement &pg_statement::push_null(std::uint32_t type) { return add(bytes_.size(), true, type, false); }

}  // namespace corbel
