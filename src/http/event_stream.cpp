#include "http/event_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace corbel {

namespace {
constexpr std::size_t batch = std::size_t{64} << 10;
}

event_stream::event_stream(const boost::asio::any_io_executor &executor, event_stream_options options)
    : options_(std::move(options)), wake_(executor) {}

event_stream::~event_stream() { end(); }

bool event_stream::push(event_frame frame) {
  if (finished_) return false;
  bytes_ += frame->size();
  frames_.push_back(std::move(frame));
  while (frames_.size() > options_.max_frames || (bytes_ > options_.max_bytes && frames_.size() > 1)) drop_oldest();
  if (waiting_) wake_.cancel();
  return true;
}

void event_stream::drop_oldest() {
  bytes_ -= frames_.front()->size();
  frames_.pop_front();
  ++dropped_, ++untold_;
}

void event_stream::finish() {
  finished_ = true;
  if (waiting_) wake_.cancel();
}

void event_stream::drain() {
  if (finished_) return;
  if (options_.farewell) push(options_.farewell());
  finish();
}

void event_stream::end() {
  finish();
  frames_.clear();
  bytes_ = 0;
  if (auto tell = std::exchange(options_.on_end, {})) tell();
}

std::string event_stream::take() {
  std::string out;
  if (untold_) out = fmt::format(": dropped {}\n\n", std::exchange(untold_, 0));
  while (!frames_.empty() && (out.empty() || out.size() + frames_.front()->size() <= batch)) {
    out += *frames_.front();
    bytes_ -= frames_.front()->size();
    frames_.pop_front();
  }
  return out;
}

boost::asio::awaitable<std::string> event_stream::next() {
  if (frames_.empty() && !finished_) {
    waiting_ = true;
    wake_.expires_after(options_.silence);
    co_await wake_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    waiting_ = false;
    if (frames_.empty() && !finished_) co_return options_.keep_alive;
  }
  co_return take();
}

}  // namespace corbel
