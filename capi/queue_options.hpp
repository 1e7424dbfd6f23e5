#pragma once
/// Owns: what the queue's structs of the C API mean in C++. Callers: the queue's files of capi.

#include "capi/guard.hpp"

#include <corbel/queue.hpp>

#include <vector>

namespace corbel::capi {

/// given: the caller's struct, as far as its version has it.
error read_queue_options(const corbel_queue_options *in, corbel_queue_options &given, queue_options &out);
error read_admission(const corbel_queue_admission *in, queue_admission &out);
error read_put(const corbel_put *items, size_t count, size_t each, std::vector<put_item> &out);
error read_settle(const corbel_settle *in, settle_request &out);

/// 0 where the time is not known.
std::int64_t unix_ms(std::chrono::system_clock::time_point t) noexcept;

inline corbel_bytes bytes_of(std::string_view text) noexcept { return {text.data() ? text.data() : "", text.size()}; }

/// Copies what the caller's version of a struct has; the rest of a newer one's stays zero.
template <class T>
corbel_status give_struct(const T &from, T *out, size_t size) noexcept {
  if (!out || size < sizeof(corbel_bytes)) return CORBEL_INVALID;
  std::memset(static_cast<void *>(out), 0, size);
  std::memcpy(static_cast<void *>(out), &from, std::min(size, sizeof from));
  return CORBEL_OK;
}

}  // namespace corbel::capi
