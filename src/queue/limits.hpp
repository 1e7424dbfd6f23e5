#pragma once
/// Owns: the limits of what a caller may give a queue. Callers: the rest of src/queue, the C API. Thread: any.

#include <corbel/queue.hpp>

namespace corbel::detail {

inline constexpr std::size_t max_put_bytes = 64u << 20;  ///< bodies of one put together
inline constexpr std::size_t max_id_bytes = 128;         ///< of an id or a group
inline constexpr std::size_t max_key_bytes = 256;        ///< of an idempotency key
inline constexpr std::size_t max_reason_bytes = 512;     ///< kept of a reason
inline constexpr std::uint32_t max_slots = 65536;        ///< concurrency, and prefetch
inline constexpr std::size_t max_lanes = 32;

/// Throws failure with status::invalid and a message that names the option and its limits.
void check_queue(const queue_options &options);     ///< what every part of a queue reads
void check_consumer(const queue_options &options);  ///< beyond it, what a consumer reads
void check_producer(const queue_options &options);  ///< beyond it, what a producer reads
void check_concurrency(std::uint32_t concurrency);
void check_admission(const queue_admission &rules, const queue_options &options);
/// Success, or why these items cannot be put.
error check_items(const std::vector<put_item> &items, const queue_options &options);

}  // namespace corbel::detail
