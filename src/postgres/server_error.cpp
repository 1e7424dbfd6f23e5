#include "postgres/server_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace corbel::detail {

std::string one_line(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    out += c;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::uint32_t sqlstate_flags(std::string_view code) noexcept {
  if (code.starts_with("28") || code == "3D000") return error::fatal;
  if (code == "40001" || code == "40P01" || code == "55P03" || code == "25006" || code.starts_with("53") ||
      code.starts_with("57P0") || code.starts_with("08"))
    return error::retriable;
  return 0;
}

namespace {
std::string_view diagnostic(const PGresult *r, int field) noexcept {
  const char *text = ::PQresultErrorField(r, field);
  return text ? text : "";
}
}  // namespace

bool is_from_server(const PGresult *r) noexcept { return !diagnostic(r, PG_DIAG_SQLSTATE).empty(); }

bool ends_session(const PGresult *r) noexcept {
  const auto severity = diagnostic(r, PG_DIAG_SEVERITY_NONLOCALIZED);
  return severity == "FATAL" || severity == "PANIC";
}

error server_error(const PGresult *r) {
  static constexpr std::pair<const char *, int> names[] = {{"severity", PG_DIAG_SEVERITY_NONLOCALIZED},
                                                           {"detail", PG_DIAG_MESSAGE_DETAIL},
                                                           {"hint", PG_DIAG_MESSAGE_HINT},
                                                           {"position", PG_DIAG_STATEMENT_POSITION},
                                                           {"internal_position", PG_DIAG_INTERNAL_POSITION},
                                                           {"internal_query", PG_DIAG_INTERNAL_QUERY},
                                                           {"where", PG_DIAG_CONTEXT},
                                                           {"schema", PG_DIAG_SCHEMA_NAME},
                                                           {"table", PG_DIAG_TABLE_NAME},
                                                           {"column", PG_DIAG_COLUMN_NAME},
                                                           {"datatype", PG_DIAG_DATATYPE_NAME},
                                                           {"constraint", PG_DIAG_CONSTRAINT_NAME},
                                                           {"file", PG_DIAG_SOURCE_FILE},
                                                           {"line", PG_DIAG_SOURCE_LINE},
                                                           {"routine", PG_DIAG_SOURCE_FUNCTION}};
  std::vector<std::pair<std::string, std::string>> fields;
  for (auto [name, field] : names)
    if (auto text = diagnostic(r, field); !text.empty()) fields.emplace_back(name, text);
  const auto code = diagnostic(r, PG_DIAG_SQLSTATE);
  return error(status::refused, one_line(diagnostic(r, PG_DIAG_MESSAGE_PRIMARY)), "postgres", std::string(code),
               sqlstate_flags(code), std::move(fields));
}

namespace {

/// "FATAL:  28P01: password authentication failed" -> "28P01", and where the message begins.
std::string_view find_sqlstate(std::string_view text, std::size_t &message) noexcept {
  for (auto at = text.find(":  "); at != text.npos; at = text.find(":  ", at + 1)) {
    const auto code = text.substr(at + 3, 5);
    if (code.size() != 5 || text.substr(at + 8, 2) != ": ") continue;
    if (!std::all_of(code.begin(), code.end(), [](unsigned char c) { return std::isdigit(c) || std::isupper(c); })) continue;
    message = at + 10;
    return code;
  }
  return {};
}

}  // namespace

error connect_error(std::string_view text, const std::string &shown) {
  std::size_t begin = 0;
  if (const auto code = find_sqlstate(text, begin); !code.empty()) {
    const auto message = one_line(text.substr(begin, text.find('\n', begin) - begin));
    return error(status::refused, fmt::format("{} refused the connection: {}", shown, message), "postgres",
                 std::string(code), sqlstate_flags(code));
  }
  auto line = one_line(text);
  auto has = [&](std::string_view part) { return line.find(part) != line.npos; };
  // libpq begins with its own "connection to server at ... failed: ", which repeats the address.
  if (const auto failed = line.find("failed: "); failed != line.npos && line.starts_with("connection to server"))
    line.erase(0, failed + 8);
  const char *native = "CONNECT";
  const char *source = "postgres";
  if (has("SSL") || has("certificate")) {
    native = "TLS";
    source = "tls";
  } else if (has("Connection refused")) {
    native = "ECONNREFUSED";
    source = "os";
  } else if (has("session is")) {
    native = "TARGET";
  } else if (has("no password supplied") || has("fe_sendauth")) {
    return error(status::refused, fmt::format("{} asks for a password and none is configured", shown), "postgres", "28P01",
                 error::fatal);
  }
  return error(status::unavailable, fmt::format("cannot connect to {}: {}", shown, line), source, native, error::retriable);
}

}  // namespace corbel::detail
