#include "postgres/settings.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cstdlib>
#include <unistd.h>

namespace corbel::detail {

using namespace std::chrono_literals;

namespace {

error invalid(std::string text) { return error(status::invalid, std::move(text), "postgres", "OPTION"); }

/// The server keeps 63 bytes of it.
std::string application_name(const std::string &name, const std::string &instance) {
  const auto pid = std::to_string(::getpid());
  auto text = fmt::format("{}:{}", name, instance).substr(0, 62 - pid.size()) + ":" + pid;
  for (char &c : text)
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~') c = '_';
  return text;
}

std::string describe(const std::vector<pg_host> &hosts, const std::string &database) {
  std::string text;
  for (auto &h : hosts) {
    const auto &name = !h.host.empty() ? h.host : !h.address.empty() ? h.address : std::string("local socket");
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", name, h.port);
  }
  return text + "/" + database;
}

}  // namespace

error check_limits(const pg_limits &l) {
  if (l.max_size == 0) return invalid("max_size is 0: give at least 1, or leave it out for 10");
  if (l.min_size > l.max_size)
    return invalid(
        fmt::format("min_size is {} and max_size is {}: the least must not be above the most", l.min_size, l.max_size));
  if (l.max_size == CORBEL_UNBOUNDED && l.min_size == CORBEL_UNBOUNDED) return invalid("min_size must be a number");
  return {};
}

result<std::shared_ptr<const pg_settings>> pg_settings::make(pg_options o, const std::string &name,
                                                             const std::string &instance) {
  if (auto why = check_limits({o.min_size, o.max_size, o.max_waiting})) return why;
  if (o.connect_timeout <= 0ms) return invalid("connect_timeout must be more than 0 ms");
  if (o.call_timeout == 0ms) return invalid("call_timeout is 0 ms: give a time, or call::unlimited");
  if (o.acquire_timeout == 0ms) return invalid("acquire_timeout is 0 ms: give a time, or call::unlimited");
  if (o.cancel_timeout <= 0ms) return invalid("cancel_timeout must be more than 0 ms");
  if (o.max_connecting == 0) return invalid("max_connecting must be at least 1");
  auto parameters = read_conninfo(o.conninfo, [](const char *n) -> const char * { return std::getenv(n); });
  if (!parameters) return parameters.error();
  auto hosts = split_hosts(*parameters);
  if (!hosts) return hosts.error();

  auto s = std::make_shared<pg_settings>();
  s->hosts = std::move(*hosts);
  s->target = parameter(*parameters, "target_session_attrs");
  s->shown = describe(s->hosts, parameter(*parameters, "dbname").empty() ? parameter(*parameters, "user")
                                                                         : parameter(*parameters, "dbname"));
  for (auto &[key, value] : *parameters)
    if (key != "host" && key != "hostaddr" && key != "port" && key != "target_session_attrs" && key != "connect_timeout")
      s->parameters.emplace_back(std::move(key), std::move(value));
  auto otherwise = [&](const char *key, std::string value) {
    if (parameter(s->parameters, key).empty()) s->parameters.emplace_back(key, std::move(value));
  };
  otherwise("application_name", application_name(name, instance));
  otherwise("client_encoding", "UTF8");
  otherwise("keepalives_idle", "30");
  otherwise("keepalives_interval", "10");
  otherwise("keepalives_count", "3");
  otherwise("tcp_user_timeout", "30000");
  // Looking for Kerberos tickets costs milliseconds and memory: only where it is asked for.
  if (!std::getenv("PGGSSENCMODE") && o.conninfo.find("gssencmode") == o.conninfo.npos)
    set_parameter(s->parameters, "gssencmode", "disable");
  s->options = std::move(o);
  s->options.conninfo.clear();  // holds the password; the parameters are what is used
  return std::shared_ptr<const pg_settings>(std::move(s));
}

}  // namespace corbel::detail
