// Which commands must not run on a shared pipeline, or on a lease (https://redis.io/commands).
#include "redis/pool_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace corbel::detail {

namespace {

// They turn a connection into something that no longer answers one reply for one request, in order.
constexpr std::array<std::string_view, 11> never{"MONITOR",   "PSUBSCRIBE",   "PSYNC", "PUNSUBSCRIBE", "QUIT", "SSUBSCRIBE",
                                                 "SUBSCRIBE", "SUNSUBSCRIBE", "SYNC",  "UNSUBSCRIBE",  "HELLO"};
// They change or block the connection that others share.
constexpr std::array<std::string_view, 22> lease_only{"AUTH",       "ASKING", "BLMOVE",   "BLMPOP",    "BLPOP",  "BRPOP",
                                                      "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN",  "CLIENT", "DISCARD",
                                                      "EXEC",       "MULTI",  "READONLY", "READWRITE", "RESET",  "SELECT",
                                                      "UNWATCH",    "WAIT",   "WAITAOF",  "WATCH"};

bool same(std::string_view a, std::string_view upper) noexcept {
  return a.size() == upper.size() && std::equal(a.begin(), a.end(), upper.begin(), [](char x, char y) {
           return std::toupper(static_cast<unsigned char>(x)) == y;
         });
}

template <std::size_t N>
bool contains(const std::array<std::string_view, N> &names, std::string_view name) noexcept {
  return std::any_of(names.begin(), names.end(), [&](std::string_view n) { return same(name, n); });
}

/// Bit i is set when a listed command begins with the i-th letter: most commands are told apart by it.
constexpr std::uint32_t first_letters = [] {
  std::uint32_t bits = 1u << ('X' - 'A');
  for (auto n : never) bits |= 1u << (n[0] - 'A');
  for (auto n : lease_only) bits |= 1u << (n[0] - 'A');
  return bits;
}();

bool blocks(const redis_command &c) noexcept {
  for (std::uint32_t i = 1; i + 1 < c.arguments() && i < 8; ++i)
    if (same(c.argument(i), "BLOCK")) return true;
  return false;
}

}  // namespace

bool is_harmless_client(const redis_command &c) noexcept {
  const auto sub = c.argument(1);
  constexpr std::array<std::string_view, 9> harmless{"LIST",  "INFO",    "ID",      "GETNAME", "KILL",
                                                     "PAUSE", "UNPAUSE", "UNBLOCK", "HELP"};
  return contains(harmless, sub);
}

error redis_pool_core::misplaced(const redis_command &c, bool on_lease) {
  const auto name = c.name();
  if (name.empty())
    return error(status::invalid, "the command is empty: its first argument is the command's name", "redis", "COMMAND");
  const unsigned letter = static_cast<unsigned>((name[0] & ~0x20) - 'A');
  if (letter >= 26 || !(first_letters >> letter & 1u)) return {};
  if (contains(never, name))
    return error(status::invalid, fmt::format("{} is not for commands: use a subscription, or the pool's options", name),
                 "redis", "COMMAND");
  if (same(name, "CLIENT") && same(c.argument(1), "REPLY"))
    return error(status::invalid,
                 "CLIENT REPLY would leave commands unanswered: send them without waiting for the reply instead", "redis",
                 "COMMAND");
  if (on_lease) return {};
  if ((contains(lease_only, name) && !(same(name, "CLIENT") && is_harmless_client(c))) ||
      ((same(name, "XREAD") || same(name, "XREADGROUP")) && blocks(c)))
    return error(status::invalid,
                 fmt::format("{} changes or blocks the connection, which others share: take a lease for it", name), "redis",
                 "COMMAND");
  return {};
}

}  // namespace corbel::detail
