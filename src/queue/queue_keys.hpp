#pragma once
/// Owns: what belongs to one queue by name (keys, channel), the shape of a list element, and the limits of what a caller may
/// give. Callers: the rest of src/queue. Thread: any; nothing changes after construction.

#include <corbel/queue.hpp>

#include <string>
#include <string_view>

namespace corbel::detail {

inline constexpr std::size_t max_body_bytes = 16u << 20;
inline constexpr std::size_t max_put_bytes = 64u << 20;  ///< bodies of one put together
inline constexpr std::size_t max_id_bytes = 128;
inline constexpr std::uint32_t max_slots = 65536;  ///< concurrency, and prefetch

struct queue_keys {
  explicit queue_keys(const std::string &name);

  std::string ready;     ///< LIST of elements, put on the left, claimed from the right
  std::string inflight;  ///< LIST of elements, claimed and not settled
  std::string leases;    ///< ZSET id -> end of its lease in the server's milliseconds
  std::string attempts;  ///< HASH id -> claims so far
  std::string holders;   ///< HASH id -> "<token>:<claim>"
  std::string token;     ///< last fencing token
  std::string wake;      ///< channel, told when the ready list turns from empty to not empty
};

/// "<id>\n<body>".
std::string make_element(std::string_view id, std::string_view body);
/// Where the body starts in an element; 0 when other hands put it without an id.
std::size_t body_of(std::string_view element, std::string_view id) noexcept;
/// 32 random hexadecimal digits.
std::string make_message_id();

/// Throws failure with status::invalid and a message that names the option and its limits.
void check_producer(const queue_options &options);
void check_consumer(const queue_options &options);
/// Success, or why these items cannot be put.
error check_items(const std::vector<put_item> &items);

}  // namespace corbel::detail
