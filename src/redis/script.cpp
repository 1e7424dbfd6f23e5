#include <corbel/redis_script.hpp>

#include <boost/asio/bind_executor.hpp>
#include <openssl/evp.h>

namespace corbel {

namespace {

std::string sha1_hex(const std::string &text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  ::EVP_Digest(text.data(), text.size(), digest, &size, ::EVP_sha1(), nullptr);
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    out += "0123456789abcdef"[digest[i] >> 4];
    out += "0123456789abcdef"[digest[i] & 15];
  }
  return out;
}

}  // namespace

redis_script::redis_script(std::string source, unsigned keys)
    : source_(std::make_shared<const std::string>(std::move(source))), sha1_(sha1_hex(*source_)), keys_(keys) {}

namespace detail {

void start_script(const redis_pool &pool, std::shared_ptr<const std::string> source, redis_command evalsha, call c,
                  operation_ptr<redis_reply> op) {
  auto shared = std::make_shared<operation_ptr<redis_reply>>(std::move(op));
  const auto until = std::chrono::steady_clock::now() + c.timeout;
  auto executor = boost::asio::bind_executor(pool.executor(), [pool, source = std::move(source), again = evalsha, c, until,
                                                               shared](result<redis_reply> r) mutable {
    if (r || r.error().native() != "NOSCRIPT") return finish(std::move(*shared), std::move(r));
    if (c.timeout.count() > 0)
      c.timeout = std::max(std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()),
                           std::chrono::milliseconds(1));
    // EVAL loads and runs in one round trip; the next EVALSHA finds it.
    redis_command eval("EVAL", *source);
    for (std::uint32_t i = 2; i < again.arguments(); ++i) eval.push(again.argument(i));
    pool.async_send(std::move(eval), c, boost::asio::bind_executor(pool.executor(), [shared](result<redis_reply> second) {
                      finish(std::move(*shared), std::move(second));
                    }));
  });
  pool.async_send(std::move(evalsha), c, std::move(executor));
}

}  // namespace detail
}  // namespace corbel
