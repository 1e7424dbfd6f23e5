#include "postgres/conninfo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <libpq-fe.h>
#include <memory>

namespace corbel::detail {

namespace {

error invalid(std::string text) { return error(status::invalid, std::move(text), "postgres", "OPTION"); }

struct options_closer {
  void operator()(PQconninfoOption *o) const noexcept { ::PQconninfoFree(o); }
};
using options_ptr = std::unique_ptr<PQconninfoOption, options_closer>;

pg_parameters collect(const options_ptr &options) {
  pg_parameters all;
  for (auto *o = options.get(); o->keyword; ++o)
    if (o->val && *o->val) all.emplace_back(o->keyword, o->val);
  return all;
}

/// libpq's message quotes the text that it could not read, which may hold a password: only its kind is told.
error unreadable(const char *message) {
  const std::string_view why = message ? message : "";
  auto has = [&](std::string_view part) { return why.find(part) != why.npos; };
  const char *what = has("invalid connection option")     ? "names an option that libpq does not know"
                     : has("invalid URI query parameter") ? "has a query parameter that libpq does not know"
                     : has("missing \"=\"")               ? "has a word without ="
                     : has("unterminated quoted")         ? "has a quote without its end"
                     : has("percent-encoded")             ? "has a wrong percent-encoding"
                     : has("end of string")               ? "ends too early"
                                                          : "cannot be read";
  return invalid(fmt::format(
      "the conninfo {}; use postgresql://[user[:password]@]host[:port][,...]/database[?option=value] or host=... dbname=...",
      what));
}

bool is_true(std::string_view text) {
  std::string lower;
  for (char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower == "1" || lower == "true" || lower == "yes" || lower == "on";
}

result<pg_parameters> of_platform(const environment_function &environment) {
  auto value = [&](const char *name, const char *otherwise) {
    const char *text = environment(name);
    return std::string(text && *text ? text : otherwise);
  };
  pg_parameters all{{"host", value("POSTGRES_HOST", "localhost")},
                    {"port", value("POSTGRES_PORT", "5434")},
                    {"user", value("POSTGRES_USER", "postgres")},
                    {"password", value("POSTGRES_PASSWORD", "postgres")},
                    {"dbname", value("POSTGRES_DATABASE", "postgres")}};
  std::string mode = "disable";
  if (is_true(value("POSTGRES_SSL", "false"))) {
    mode = value("POSTGRES_SSL_MODE", "require");
    for (char &c : mode) c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (auto ca = value("POSTGRES_SSL_ROOT_CERT", ""); !ca.empty() && value("PGSSLROOTCERT", "").empty())
      all.emplace_back("sslrootcert", ca);
  }
  all.emplace_back("sslmode", mode);
  return all;
}

constexpr const char *platform_names[] = {"POSTGRES_HOST",     "POSTGRES_PORT",         "POSTGRES_USER",
                                          "POSTGRES_PASSWORD", "POSTGRES_DATABASE",     "POSTGRES_SSL",
                                          "POSTGRES_SSL_MODE", "POSTGRES_SSL_ROOT_CERT"};

std::vector<std::string> split(const std::string &list) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  for (;;) {
    const auto comma = list.find(',', at);
    parts.push_back(list.substr(at, comma == list.npos ? comma : comma - at));
    if (comma == list.npos) return parts;
    at = comma + 1;
  }
}

}  // namespace

const std::string &parameter(const pg_parameters &all, std::string_view name) {
  static const auto &none = *new std::string;  // never destroyed: I/O threads may outlive it
  for (auto &[key, value] : all)
    if (key == name) return value;
  return none;
}

void set_parameter(pg_parameters &all, std::string_view name, std::string value) {
  for (auto &[key, old] : all)
    if (key == name) {
      old = std::move(value);
      return;
    }
  all.emplace_back(name, std::move(value));
}

result<pg_parameters> parse_conninfo(const std::string &text) {
  if (text.find('\0') != text.npos) return invalid("the conninfo has a NUL");
  char *message = nullptr;
  options_ptr options(::PQconninfoParse(text.c_str(), &message));
  const std::unique_ptr<char, decltype(&::PQfreemem)> owned(message, ::PQfreemem);
  if (!options) return unreadable(message);
  return collect(options);
}

result<pg_parameters> read_conninfo(const std::string &text, const environment_function &environment) {
  pg_parameters all;
  if (text.empty() &&
      std::any_of(std::begin(platform_names), std::end(platform_names), [&](const char *n) { return environment(n); })) {
    auto platform = of_platform(environment);
    if (!platform) return platform.error();
    all = std::move(*platform);
  } else {
    auto given = parse_conninfo(text);
    if (!given) return given.error();
    all = std::move(*given);
  }
  if (!parameter(all, "service").empty())
    return error(status::unsupported, "service is read from PGSERVICE only: leave it out of the conninfo", "postgres",
                 "OPTION");
  const bool has_host = !parameter(all, "host").empty() || !parameter(all, "hostaddr").empty();
  // PQconndefaults reads PG*, the service file that PGSERVICE names, and libpq's own defaults.
  options_ptr defaults(::PQconndefaults());
  if (!defaults) return error::out_of_memory();
  for (auto &[key, value] : collect(defaults)) {
    if (has_host && (key == "host" || key == "hostaddr")) continue;
    if (parameter(all, key).empty()) all.emplace_back(key, value);
  }
  static constexpr const char *modes[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
  if (auto &mode = parameter(all, "sslmode"); std::find(std::begin(modes), std::end(modes), mode) == std::end(modes))
    return invalid("sslmode is none of disable, allow, prefer, require, verify-ca, verify-full");
  static constexpr const char *targets[] = {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"};
  if (auto &target = parameter(all, "target_session_attrs");
      std::find(std::begin(targets), std::end(targets), target) == std::end(targets))
    return invalid("target_session_attrs is none of any, read-write, read-only, primary, standby, prefer-standby");
  return all;
}

result<std::vector<pg_host>> split_hosts(const pg_parameters &all) {
  const auto hosts = split(parameter(all, "host")), addresses = split(parameter(all, "hostaddr"));
  const auto ports = split(parameter(all, "port"));
  const bool by_address = !parameter(all, "hostaddr").empty();
  const auto count = by_address ? addresses.size() : hosts.size();
  if (by_address && !parameter(all, "host").empty() && hosts.size() != count)
    return invalid(fmt::format("{} host names and {} host addresses: give as many of each", hosts.size(), count));
  if (ports.size() != 1 && ports.size() != count)
    return invalid(fmt::format("{} ports for {} hosts: give one, or one for each", ports.size(), count));
  std::vector<pg_host> out;
  for (std::size_t i = 0; i < count; ++i) {
    pg_host h{i < hosts.size() ? hosts[i] : std::string(), by_address ? addresses[i] : std::string(),
              ports.size() == 1 ? ports[0] : ports[i]};
    if (h.port.empty()) h.port = "5432";
    std::uint32_t port = 0;
    const auto [end, ec] = std::from_chars(h.port.data(), h.port.data() + h.port.size(), port);
    if (ec != std::errc() || end != h.port.data() + h.port.size() || port == 0 || port > 65535)
      return invalid("a port is not a number between 1 and 65535");
    out.push_back(std::move(h));
  }
  return out;
}

}  // namespace corbel::detail
