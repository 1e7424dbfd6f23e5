#pragma once
/// Asks the servers how many connections they allow and how many others hold. Thread: the pool's loop calls back, once.

#include <corbel/budget.hpp>
#include <corbel/pg_pool.hpp>
#include <corbel/redis_pool.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace corbel::detail {

using room_function = std::function<void(server_room)>;

/// name: of the runtimes whose connections are not others'.
void ask_redis_room(const redis_pool &pool, const std::string &name, call c, room_function done);
void ask_postgres_room(const pg_pool &pool, const std::string &name, call c, room_function done);

/// How many lines of CLIENT LIST are of clients whose name does not begin with `prefix`.
std::int64_t count_others(std::string_view client_list, std::string_view prefix);
/// The number behind "name:" in a section of INFO.
std::optional<std::int64_t> info_number(std::string_view info, std::string_view name);

}  // namespace corbel::detail
