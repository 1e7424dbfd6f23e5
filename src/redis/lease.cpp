#include "redis/pool_core.hpp"

#include <corbel/redis_pool.hpp>

#include <cctype>

namespace corbel {

namespace {

bool same(std::string_view a, std::string_view upper) noexcept {
  return a.size() == upper.size() && std::equal(a.begin(), a.end(), upper.begin(), [](char x, char y) {
           return std::toupper(static_cast<unsigned char>(x)) == y;
         });
}

}  // namespace

void detail::redis_connection::lease_record::note(const redis_command &c) noexcept {
  auto &l = *this;
  const auto name = c.name();
  switch (name.empty() ? 0 : std::toupper(static_cast<unsigned char>(name[0]))) {
    case 'A':
      l.altered = l.altered || same(name, "AUTH");
      break;
    case 'C':
      l.altered = l.altered || (same(name, "CLIENT") && !is_harmless_client(c));
      break;
    case 'D':
    case 'E':
      if (same(name, "EXEC") || same(name, "DISCARD")) l.in_multi = l.watching = false;
      break;
    case 'M':
      l.in_multi = l.in_multi || same(name, "MULTI");
      break;
    case 'R':
      l.altered = l.altered || same(name, "READONLY") || same(name, "RESET");
      break;
    case 'S':
      l.altered = l.altered || same(name, "SELECT") || (same(name, "SCRIPT") && same(c.argument(1), "DEBUG"));
      break;
    case 'U':
      if (same(name, "UNWATCH")) l.watching = false;
      break;
    case 'W':
      l.watching = l.watching || same(name, "WATCH");
      break;
    default:
      break;
  }
}

void redis_lease::start_send(const std::shared_ptr<detail::redis_connection> &c, std::unique_ptr<detail::redis_request> r,
                             call options) {
  auto pool = c ? c->lease.pool.lock() : nullptr;
  if (!pool) return r.release()->finish(error(status::state, "the lease is empty, or its pool was freed", "redis"));
  pool->send_on(c, std::move(r), options);
}

void redis_lease::release() noexcept {
  auto c = std::exchange(connection_, nullptr);
  if (!c) return;
  if (auto pool = c->lease.pool.lock()) pool->give_back(std::move(c));
}

detail::io_executor redis_lease::executor() const { return connection_->home().executor(); }

}  // namespace corbel
