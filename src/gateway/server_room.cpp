#include "gateway/server_room.hpp"

#include "redis/settings.hpp"

#include <fmt/format.h>

#include <charconv>
#include <memory>

namespace corbel::detail {

namespace {

std::optional<std::int64_t> to_number(std::string_view text) {
  std::int64_t n = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  return ec == std::errc() && !text.empty() ? std::optional(n) : std::nullopt;
}

/// What came of the three questions, asked at once on one loop.
struct redis_answers {
  room_function done;
  std::string prefix;
  std::optional<std::int64_t> configured, of_info, connected, others;
  error trouble;
  int missing = 3;

  void came() {
    if (--missing != 0) return;
    server_room room;
    room.allowed = configured ? configured : of_info;
    if (others) {
      room.others = *others;
    } else if (connected) {
      room.others = *connected;
      room.trouble = fmt::format("all {} clients are counted as others, because CLIENT LIST is refused", *connected);
    } else {
      room.allowed.reset();
    }
    if (!room.allowed) room.trouble = trouble ? trouble.message() : std::string("the server does not say");
    done(std::move(room));
  }
};

}  // namespace

std::optional<std::int64_t> info_number(std::string_view info, std::string_view name) {
  const auto key = std::string(name) + ":";
  for (std::size_t at = 0; (at = info.find(key, at)) != info.npos; at += key.size())
    if (at == 0 || info[at - 1] == '\n') return to_number(info.substr(at + key.size(), 20));
  return {};
}

std::int64_t count_others(std::string_view list, std::string_view prefix) {
  std::int64_t n = 0;
  while (!list.empty()) {
    const auto line = list.substr(0, list.find('\n'));
    list.remove_prefix(std::min(list.size(), line.size() + 1));
    if (line.empty()) continue;
    const auto at = line.find(" name=");
    const bool ours = !prefix.empty() && at != line.npos && line.substr(at + 6).starts_with(prefix);
    n += ours ? 0 : 1;
  }
  return n;
}

void ask_redis_room(const redis_pool &pool, const std::string &name, call c, room_function done) {
  c.idempotent = true;
  auto a = std::make_shared<redis_answers>();
  a->done = std::move(done);
  a->prefix = redis_client_name(name, {}, 0, {}).substr(0, name.size() + 1);
  pool.async_send(redis_command("CONFIG", "GET", "maxclients"), c, [a](const result<redis_reply> &r) {
    if (r) a->configured = to_number(r->root()[1].text());
    a->came();  // many a hosted server refuses CONFIG: INFO knows it too
  });
  pool.async_send(redis_command("INFO", "clients"), c, [a](const result<redis_reply> &r) {
    if (r) {
      a->of_info = info_number(r->root().text(), "maxclients");
      a->connected = info_number(r->root().text(), "connected_clients");
    } else {
      a->trouble = r.error();
    }
    a->came();
  });
  pool.async_send(redis_command("CLIENT", "LIST"), c, [a](const result<redis_reply> &r) {
    if (r) a->others = count_others(r->root().text(), a->prefix);
    a->came();
  });
}

void ask_postgres_room(const pg_pool &pool, const std::string &name, call c, room_function done) {
  std::string prefix = name + ":";
  for (char &x : prefix)
    if (static_cast<unsigned char>(x) < ' ' || static_cast<unsigned char>(x) > '~') x = '_';
  pg_statement ask(
      "SELECT current_setting('max_connections')::int8, current_setting('superuser_reserved_connections')::int8 + "
      "coalesce(current_setting('reserved_connections', true), '0')::int8, (SELECT count(*) FROM pg_stat_activity WHERE "
      "coalesce(backend_type, 'client backend') = 'client backend' AND left(coalesce(application_name, ''), "
      "length($1::text)) "
      "<> $1::text)",
      prefix);
  ask.read_only().unprepared();
  pool.async_query(std::move(ask), c, [done = std::move(done)](const result<pg_result> &r) {
    server_room room;
    if (r && r->rows() == 1) {
      room.allowed = r->get<std::int64_t>(0, 0);
      room.reserved = r->get<std::int64_t>(0, 1);
      room.others = r->get<std::int64_t>(0, 2);
    } else {
      room.trouble = r ? std::string("no row came back") : r.error().message();
    }
    done(std::move(room));
  });
}

}  // namespace corbel::detail
