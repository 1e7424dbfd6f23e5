#pragma once
/// An asynchronous call on its way: who gets the result and on which executor. The firewall between completion tokens,
/// which are templates, and the library's bodies, which are not.
///
/// finish() is called exactly once, on any thread; it hands the result over and destroys the operation.

#include <corbel/result.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace corbel::detail {

using io_executor = boost::asio::io_context::executor_type;

template <class T>
class operation {
 public:
  virtual void finish(result<T> r) noexcept = 0;
  /// Called once before the operation can finish: what a cancellation of the caller runs. Thread: the emitter's.
  virtual void on_cancel(std::function<void()>) {}
  /// True when a caller could cancel, so that on_cancel is worth its price.
  virtual bool cancellable() const noexcept { return false; }

 protected:
  virtual ~operation() = default;
  friend struct drop_unfinished;
};

/// An operation dropped unfinished ends as CANCELLED: exactly one completion, whatever path is taken.
struct drop_unfinished {
  template <class T>
  void operator()(operation<T> *op) const noexcept {
    op->finish(error(status::cancelled, "the call was dropped: its handle was freed or its runtime ended"));
  }
};
template <class T>
using operation_ptr = std::unique_ptr<operation<T>, drop_unfinished>;

/// While one lives, this thread is inside an initiating function, from which no handler may be called.
class initiation {
 public:
  initiation() noexcept { ++depth(); }
  ~initiation() { --depth(); }
  initiation(const initiation &) = delete;
  initiation &operator=(const initiation &) = delete;
  static bool is_here() noexcept { return depth() != 0; }

 private:
  static unsigned &depth() noexcept {
    static constinit thread_local unsigned count = 0;
    return count;
  }
};

/// A child after fork has no thread that would run a posted handler: there it is called at once, by the caller.
template <class T>
bool ends_forked(const result<T> &r) noexcept {
  return !r && r.error().is(status::forked);
}

/// Finishes an operation that a pointer owns.
template <class T>
void finish(operation_ptr<T> op, result<T> r) noexcept {
  op.release()->finish(std::move(r));
}

/// Calls a handler with a result on the handler's executor. Where that is the I/O thread we are on already, and not inside
/// an initiating function, the call is direct: the same that dispatch would do, without its type erasure.
template <class Handler>
class handler_slot {
 public:
  using executor_type = boost::asio::associated_executor_t<Handler, io_executor>;

  handler_slot(Handler h, const io_executor &fallback)
      : handler_(std::move(h)), executor_(boost::asio::get_associated_executor(handler_, fallback)) {
    if (!same_context(fallback))
      work_ = std::make_unique<tracked>(boost::asio::prefer(executor_, boost::asio::execution::outstanding_work.tracked));
  }

  auto cancellation_slot() const noexcept { return boost::asio::get_associated_cancellation_slot(handler_); }

  /// Moves everything out of *this first, so that the memory that holds it may be freed by `release` before the handler
  /// runs.
  template <class Release, class T>
  void deliver(Release release, result<T> r) noexcept {
    auto handler = std::move(handler_);
    auto executor = std::move(executor_);
    auto work = std::move(work_);
    release();
    if (ends_forked(r) || (here(executor) && !initiation::is_here())) return invoke(handler, std::move(r));
    auto call = [h = std::move(handler), value = std::move(r)]() mutable { invoke(h, std::move(value)); };
    if (initiation::is_here())
      boost::asio::post(executor, std::move(call));
    else
      boost::asio::dispatch(executor, std::move(call));
  }

 private:
  template <class... Args>
  static void invoke(Handler &handler, Args &&...args) {
    if (auto slot = boost::asio::get_associated_cancellation_slot(handler); slot.is_connected()) slot.clear();
    std::move(handler)(std::forward<Args>(args)...);
  }
  static const io_executor *as_io(const executor_type &e) noexcept {
    if constexpr (std::is_same_v<executor_type, io_executor>)
      return &e;
    else if constexpr (std::is_same_v<executor_type, boost::asio::any_io_executor>)
      return e.template target<io_executor>();
    else
      return nullptr;
  }
  static bool here(const executor_type &e) noexcept {
    auto *io = as_io(e);
    return io && io->running_in_this_thread();
  }
  bool same_context(const io_executor &other) const noexcept {
    auto *io = as_io(executor_);
    return io && &io->context() == &other.context();
  }

  using tracked = std::decay_t<decltype(boost::asio::prefer(std::declval<executor_type>(),
                                                            boost::asio::execution::outstanding_work.tracked))>;
  Handler handler_;
  executor_type executor_;
  std::unique_ptr<tracked> work_;  // only for an executor of another context
};

template <class T, class Handler>
class handler_operation final : public operation<T> {
 public:
  handler_operation(Handler h, const io_executor &fallback) : slot_(std::move(h), fallback) {}

  void finish(result<T> r) noexcept override {
    slot_.deliver([this] { delete this; }, std::move(r));
  }
  bool cancellable() const noexcept override { return slot_.cancellation_slot().is_connected(); }
  void on_cancel(std::function<void()> fn) override {
    auto slot = slot_.cancellation_slot();
    if (slot.is_connected()) slot.assign([fn = std::move(fn)](boost::asio::cancellation_type) { fn(); });
  }

 private:
  handler_slot<Handler> slot_;
};

/// Starts a call under any completion token whose signature is void(result<T>).
template <class T, class Start, class Token>
auto initiate(Start start, io_executor fallback, Token &token) {
  return boost::asio::async_initiate<Token, void(result<T>)>(
      [start = std::move(start), fallback](auto handler) mutable {
        using handler_type = std::decay_t<decltype(handler)>;
        initiation scope;
        start(operation_ptr<T>(new handler_operation<T, handler_type>(std::move(handler), fallback)));
      },
      token);
}

}  // namespace corbel::detail
