#pragma once
/// Owns: operations of the C API that end as an event: a command, and what else completes with a result.

#include "capi/handles.hpp"

#include <corbel/detail/block_cache.hpp>

#include <functional>

namespace corbel::capi {

/// A command whose reply is the object of CORBEL_EVENT_REPLY.
class reply_request final : public detail::redis_request, public detail::event_queue::remnant {
 public:
  reply_request(redis_command c, completion to) : redis_request(std::move(c)), to_(std::move(to)) { ticket = to_.ticket(); }

  /// When the server does not know the script, EVAL with this source is sent instead, once.
  void fall_back_to(std::string script, std::shared_ptr<detail::redis_pool_core> pool) {
    script_ = std::move(script);
    pool_ = std::move(pool);
  }

  void finish(result<redis_reply> r) noexcept override;

  static void *operator new(std::size_t) { return detail::block_cache::allocate(); }
  static void operator delete(void *memory) noexcept { detail::block_cache::release(memory); }

 private:
  completion to_;
  std::string script_;
  std::shared_ptr<detail::redis_pool_core> pool_;
};

static_assert(sizeof(reply_request) <= detail::block_cache::block_size);

/// An operation that ends by calling a function with its completion and its result.
template <class T>
class event_operation final : public detail::operation<T> {
 public:
  using end_function = void (*)(completion &, result<T>);
  event_operation(completion to, end_function end) : to_(std::move(to)), end_(end) {}
  void finish(result<T> r) noexcept override {
    end_(to_, std::move(r));
    delete this;
  }

 private:
  completion to_;
  end_function end_;
};

template <class T>
detail::operation_ptr<T> make_operation(completion to, typename event_operation<T>::end_function end) {
  return detail::operation_ptr<T>(new event_operation<T>(std::move(to), end));
}

}  // namespace corbel::capi
