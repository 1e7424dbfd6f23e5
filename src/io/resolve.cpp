#include "io/resolve.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <mutex>
#include <netdb.h>
#include <thread>

namespace corbel::detail {

namespace asio = boost::asio;

struct resolution::shared {
  std::mutex mutex;
  callback done;  // empty once dropped
  std::weak_ptr<loop> where;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;  // released with the callback, never later
};

namespace {

result<resolution::addresses> look_up(const std::string &host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo *found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0)
    return error(status::unavailable, fmt::format("cannot resolve '{}': {}", host, ::gai_strerror(code)), "dns",
                 code == EAI_NONAME ? "EAI_NONAME" : fmt::format("EAI {}", code), error::retriable);
  resolution::addresses all;
  for (auto *a = found; a; a = a->ai_next) {
    asio::ip::tcp::endpoint e;
    if (a->ai_addrlen > e.capacity()) continue;
    std::memcpy(e.data(), a->ai_addr, a->ai_addrlen);
    e.resize(a->ai_addrlen);
    all.push_back(e);
  }
  ::freeaddrinfo(found);
  if (all.empty())
    return error(status::unavailable, fmt::format("'{}' has no address", host), "dns", "EAI_NODATA", error::retriable);
  return all;
}

}  // namespace

std::shared_ptr<resolution> resolution::start(const std::shared_ptr<loop> &where, const std::string &host,
                                              std::uint16_t port, callback done) {
  boost::system::error_code ec;
  if (auto literal = asio::ip::make_address(host, ec); !ec) {
    done(addresses{{literal, port}});
    return nullptr;
  }
  auto self = std::make_shared<resolution>();
  auto shared = self->shared_ = std::make_shared<resolution::shared>();
  shared->done = std::move(done);
  shared->where = where;
  shared->work.emplace(asio::make_work_guard(where->context()));
  try {
    std::thread([shared, host, port] {
      auto found = std::make_shared<result<addresses>>(look_up(host, port));
      std::lock_guard lock(shared->mutex);
      auto home = shared->where.lock();
      if (!shared->done || !home) return;
      home->post([shared, found] {
        callback fn;
        {
          std::lock_guard inner(shared->mutex);
          fn = std::move(shared->done);
          shared->done = nullptr;
          shared->work.reset();
        }
        if (fn) fn(std::move(*found));
      });
    }).detach();
  } catch (const std::system_error &e) {
    auto fn = std::move(shared->done);
    shared->done = nullptr;
    shared->work.reset();
    fn(error(status::no_memory, fmt::format("cannot start a thread to resolve '{}': {}", host, e.what()), "os", "EAGAIN",
             error::retriable));
  }
  return self;
}

resolution::~resolution() {
  std::lock_guard lock(shared_->mutex);
  shared_->done = nullptr;
  shared_->work.reset();
}

}  // namespace corbel::detail
