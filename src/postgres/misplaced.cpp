// Which statements change or hold the connection that they run on, and so must not run where others share it
// (https://www.postgresql.org/docs/15/sql-commands.html).
#include "postgres/pool_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace corbel::detail {

namespace {

constexpr std::array<std::string_view, 23> lease_only{"ABORT",    "BEGIN",     "CLOSE", "COMMIT",  "COPY",    "DEALLOCATE",
                                                      "DECLARE",  "DISCARD",   "END",   "EXECUTE", "FETCH",   "LISTEN",
                                                      "LOAD",     "LOCK",      "MOVE",  "PREPARE", "RELEASE", "RESET",
                                                      "ROLLBACK", "SAVEPOINT", "SET",   "START",   "UNLISTEN"};

/// The first word, past white space and comments; as it stands.
std::string_view first_word(std::string_view sql) noexcept {
  std::size_t at = 0;
  for (;;) {
    while (at < sql.size() && (std::isspace(static_cast<unsigned char>(sql[at])) || sql[at] == ';' || sql[at] == '(')) ++at;
    if (sql.substr(at).starts_with("--")) {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (sql.substr(at).starts_with("/*")) {  // they nest
      int depth = 0;
      for (; at < sql.size(); ++at) {
        if (sql.substr(at).starts_with("/*")) {
          ++depth;
          ++at;
        } else if (sql.substr(at).starts_with("*/")) {
          ++at;
          if (--depth == 0) break;
        }
      }
      at = std::min(at + 1, sql.size());
    } else {
      break;
    }
  }
  std::size_t end = at;
  while (end < sql.size() && (std::isalpha(static_cast<unsigned char>(sql[end])) || sql[end] == '_')) ++end;
  return sql.substr(at, end - at);
}

bool same(std::string_view a, std::string_view upper) noexcept {
  return a.size() == upper.size() && std::equal(a.begin(), a.end(), upper.begin(), [](char x, char y) {
           return std::toupper(static_cast<unsigned char>(x)) == y;
         });
}

/// Most statements are known by their first word without looking further.
bool is_plain(std::string_view sql) noexcept {
  const auto six = sql.substr(0, 6);
  return same(six, "SELECT") || same(six, "INSERT") || same(six, "UPDATE") || same(six, "DELETE");
}

}  // namespace

error pg_pool_core::misplaced(const pg_statement &s, bool on_lease) {
  auto invalid = [](std::string text) { return error(status::invalid, std::move(text), "postgres", "STATEMENT"); };
  if (s.sql().find('\0') != std::string_view::npos) return invalid("the statement has a NUL");
  if (s.parameters() > 65535) return invalid(fmt::format("{} parameters: 65535 are the most", s.parameters()));
  for (std::size_t i = 0; i < s.parameters(); ++i) {
    const auto &p = s.at(i);
    if (p.format == 0 && p.size > 0 &&
        std::string_view(s.bytes() + p.offset, static_cast<std::size_t>(p.size)).find('\0') != std::string_view::npos)
      return invalid(fmt::format("parameter ${} is text with a NUL, which PostgreSQL does not store: use bytea", i + 1));
  }
  if (is_plain(s.sql())) return {};
  const auto word = first_word(s.sql());
  if (same(word, "COPY")) return invalid("COPY runs on a lease, by async_copy_in or async_copy_out");
  if (on_lease) return {};
  if (std::any_of(lease_only.begin(), lease_only.end(), [&](std::string_view w) { return same(word, w); }))
    return invalid(fmt::format("{} changes or holds the connection, which others share: take a lease for it", word));
  return {};
}

}  // namespace corbel::detail
