#pragma once
/// Owns: cancelling by ticket of operations that know tokens but no tickets. Thread: any.

#include "capi/handles.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <memory>

namespace corbel::capi {

/// One operation that corbel_cancel may end, known by its runtime and ticket until it is destroyed.
class cancel_point {
 public:
  static std::shared_ptr<cancel_point> make(const detail::runtime_core &runtime, corbel_ticket ticket,
                                            detail::io_executor where);
  cancel_point(const detail::runtime_core &runtime, corbel_ticket ticket, detail::io_executor where)
      : runtime_(&runtime), ticket_(ticket), where_(std::move(where)) {}
  ~cancel_point();

  boost::asio::cancellation_slot slot() noexcept { return signal_.slot(); }
  /// Asks the operation of that ticket to end, on its own thread; false when there is none.
  static bool cancel(const detail::runtime_core &runtime, corbel_ticket ticket);

 private:
  const detail::runtime_core *runtime_;
  corbel_ticket ticket_;
  detail::io_executor where_;
  boost::asio::cancellation_signal signal_;  // on the loop, but for the assignment while the operation begins
};

/// A handler for a completion token: ends as an event exactly once, also when it is dropped uncalled.
template <class T>
class event_handler {
 public:
  using cancellation_slot_type = boost::asio::cancellation_slot;
  using end_function = void (*)(completion &, result<T>);

  event_handler(completion to, end_function end, std::shared_ptr<cancel_point> point)
      : owed_(new owed{std::move(to), end, std::move(point)}) {}
  boost::asio::cancellation_slot get_cancellation_slot() const noexcept { return owed_->point->slot(); }
  void operator()(result<T> r) {
    auto o = std::unique_ptr<owed>(owed_.release());
    o->point.reset();  // the ticket is spent before its event is there
    o->end(o->to, std::move(r));
  }

 private:
  struct owed {
    completion to;
    end_function end;
    std::shared_ptr<cancel_point> point;
  };
  struct drop {
    void operator()(owed *o) const noexcept {
      o->end(o->to, error(status::cancelled, "cancelled: the runtime ended"));
      delete o;
    }
  };
  std::unique_ptr<owed, drop> owed_;
};

}  // namespace corbel::capi
