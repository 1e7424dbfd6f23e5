#pragma once
/// Ends a call at once with an error, without running its handler inside the function that started it.

#include <corbel/detail/operation.hpp>

#include <boost/asio/post.hpp>

namespace corbel::detail {

/// Any thread. On the I/O thread a handler would run directly, so there it waits for its turn.
template <class T>
void refuse(const io_executor &executor, operation_ptr<T> op, error why) {
  if (!executor.running_in_this_thread()) return finish(std::move(op), result<T>(std::move(why)));
  boost::asio::post(
      executor, [op = std::move(op), why = std::move(why)]() mutable { finish(std::move(op), result<T>(std::move(why))); });
}

}  // namespace corbel::detail
