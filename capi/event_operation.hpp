#pragma once
/// Owns: an operation of the C API that ends as an event.

#include "capi/handles.hpp"

namespace corbel::capi {

/// Ends by calling a function with its completion and its result.
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
