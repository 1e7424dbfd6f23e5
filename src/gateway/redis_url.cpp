// The Redis URL of the environment.
#include "base/redact.hpp"
#include "redis/url.hpp"

#include <corbel/gateway.hpp>

#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <fmt/format.h>

#include <charconv>

namespace corbel {

namespace {

std::optional<std::string> given(const environment &variables, const char *name) {
  auto v = variables(name);
  return v && !v->empty() ? v : std::nullopt;
}

std::optional<unsigned> number(const std::string &text, unsigned least, unsigned most) {
  unsigned n = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  return ec == std::errc() && end == text.data() + text.size() && n >= least && n <= most ? std::optional(n) : std::nullopt;
}

}  // namespace

std::optional<gateway_context::value> redis_url_from(const environment &variables, std::vector<gateway_fault> &faults) {
  if (auto topology = given(variables, "REDIS_TOPOLOGY"); topology && *topology != "standalone")
    faults.push_back({"REDIS_TOPOLOGY", fmt::format("\"{}\"", topology->substr(0, 60)), "standalone"});
  if (auto url = given(variables, "REDIS_URL")) {
    if (auto parsed = detail::parse_redis_url(*url); !parsed)
      faults.push_back({"REDIS_URL", "text that is no such URL", parsed.error().message()});
    return gateway_context::value{*url, "REDIS_URL"};
  }
  std::string from;
  auto part = [&](const char *name, std::string otherwise) {
    auto v = given(variables, name);
    if (!v) return otherwise;
    from += (from.empty() ? "" : ", ") + std::string(name);
    return *v;
  };
  auto host = part("REDIS_HOST", "localhost");
  const auto port = part("REDIS_PORT", "6379"), password = part("REDIS_PASSWORD", ""), database = part("REDIS_DB", "0");
  if (from.empty()) return {};
  if (!number(port, 1, 65535)) faults.push_back({"REDIS_PORT", fmt::format("\"{}\"", port.substr(0, 60)), "1 to 65535"});
  if (!number(database, 0, 0x7fffffff))
    faults.push_back({"REDIS_DB", fmt::format("\"{}\"", database.substr(0, 60)), "the number of a database"});
  if (host.find(':') != host.npos && host.front() != '[') host = "[" + host + "]";
  auto url = fmt::format("redis://{}{}:{}/{}",
                         password.empty() ? "" : ":" + boost::urls::encode(password, boost::urls::unreserved_chars) + "@",
                         host, port, database);
  if (number(port, 1, 65535) && number(database, 0, 0x7fffffff) && !detail::parse_redis_url(url))
    faults.push_back(
        {"REDIS_HOST", fmt::format("\"{}\"", detail::redact_url(host.substr(0, 60))), "a host name or an address"});
  return gateway_context::value{std::move(url), std::move(from)};
}

}  // namespace corbel
