#pragma once
/// Owns: one io_context and, unless it is the host's, the thread that runs it. Callers: everything that does I/O lives on
/// one loop and is touched on its thread only; others post. Thread: post, is_here any; the rest the runtime's.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace corbel::detail {

class loop {
 public:
  /// Its own io_context; start() gives it a thread.
  loop();
  /// The host's io_context, which one thread at a time runs.
  explicit loop(boost::asio::io_context &host);
  ~loop();
  loop(const loop &) = delete;
  loop &operator=(const loop &) = delete;

  /// Starts the thread. It keeps `self` alive while it runs. Throws std::system_error.
  static void start(const std::shared_ptr<loop> &self, const std::string &thread_name);

  boost::asio::io_context &context() noexcept { return *context_; }
  boost::asio::io_context::executor_type executor() noexcept { return context_->get_executor(); }
  bool is_here() const noexcept { return context_->get_executor().running_in_this_thread(); }
  bool is_own() const noexcept { return own_ != nullptr; }

  template <class F>
  void post(F &&f) {
    boost::asio::post(*context_, std::forward<F>(f));
  }

  /// Lets the thread end when nothing is under way any more, by force after the time-out, and joins it. Not on its thread.
  void join(std::chrono::milliseconds timeout);
  /// Lets the thread end by itself; nobody joins it.
  void abandon() noexcept;

 private:
  std::unique_ptr<boost::asio::io_context> own_;
  boost::asio::io_context *context_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  std::thread thread_;
  std::future<void> ended_;
};

}  // namespace corbel::detail
