#include "redis/settings.hpp"

#include <fmt/format.h>

#include <cctype>
#include <unistd.h>

namespace corbel::detail {

namespace ssl = boost::asio::ssl;

std::string redis_client_name(std::string_view name, std::string_view instance, long pid, std::string_view kind) {
  std::string text = fmt::format("{}:{}:{}:{}", name, instance, pid, kind);
  for (char &c : text)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != ':' && c != '.') c = '_';
  return text.substr(0, 128);
}

namespace {

error invalid(std::string text) { return error(status::invalid, std::move(text), "redis", "OPTION"); }

result<std::unique_ptr<ssl::context>> make_tls(const redis_options &o) {
  auto context = std::make_unique<ssl::context>(ssl::context::tls_client);
  auto failed = [](const char *option, const std::string &file, const boost::system::error_code &ec) {
    return error(status::invalid, fmt::format("{} '{}' cannot be used: {}", option, file, ec.message()), "tls", "FILE");
  };
  boost::system::error_code ec;
  context->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, ec);
  if (o.tls_ca.empty())
    context->set_default_verify_paths(ec);
  else if (context->load_verify_file(o.tls_ca, ec); ec)
    return failed("tls_ca", o.tls_ca, ec);
  if (o.tls_cert.empty() != o.tls_key.empty()) return invalid("tls_cert and tls_key go together: give both or neither");
  if (!o.tls_cert.empty()) {
    if (context->use_certificate_chain_file(o.tls_cert, ec); ec) return failed("tls_cert", o.tls_cert, ec);
    if (context->use_private_key_file(o.tls_key, ssl::context::pem, ec); ec) return failed("tls_key", o.tls_key, ec);
  }
  return context;
}

}  // namespace

result<std::shared_ptr<const redis_settings>> redis_settings::make(redis_options o, const std::string &name,
                                                                   const std::string &instance) {
  auto address = parse_redis_url(o.url);
  if (!address) return address.error();
  if (o.max_size == 0) return invalid("max_size is 0: give at least 1, or leave it out for 32");
  if (o.connect_timeout.count() <= 0) return invalid("connect_timeout must be more than 0 ms");
  if (o.call_timeout.count() == 0) return invalid("call_timeout is 0 ms: give a time, or call::unlimited");
  if (o.max_connecting == 0) return invalid("max_connecting must be at least 1");
  if (o.max_reply_bytes == 0 || o.max_reply_elements == 0 || o.max_reply_depth == 0)
    return invalid("a limit on replies is 0: give at least 1");
  if (o.max_reply_depth > 7 && !reply_reader::has_settable_depth())
    return error(status::unsupported,
                 fmt::format("max_reply_depth is {}: this build's hiredis reads at most 7 (feature deep_replies is missing)",
                             o.max_reply_depth),
                 "redis", "OPTION");
  auto s = std::make_shared<redis_settings>();
  s->address = std::move(*address);
  if (s->address.kind == redis_address::transport::tls) {
    auto tls = make_tls(o);
    if (!tls) return tls.error();
    s->tls = std::move(*tls);
  }
  s->limits = {o.max_reply_bytes, o.max_reply_elements, o.max_reply_depth};
  s->client_name = redis_client_name(name, instance, ::getpid(), o.kind);
  s->options = std::move(o);
  s->options.url.clear();  // holds the password; the address is what is used
  return std::shared_ptr<const redis_settings>(std::move(s));
}

}  // namespace corbel::detail
