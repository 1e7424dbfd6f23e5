#include "redis/connection.hpp"

#include "io/os_error.hpp"
#include "redis/server_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace corbel::detail {

using namespace std::chrono_literals;

class redis_connection::ping_request final : public redis_request {
 public:
  ping_request() : redis_request(redis_command("PING")) { is_ping = true; }
  void finish(result<redis_reply>) noexcept override { delete this; }
};

redis_connection::redis_connection(std::shared_ptr<loop> where, std::shared_ptr<const redis_settings> settings,
                                   std::shared_ptr<redis_counters> counters, owner *o, mode m)
    : loop_(std::move(where)),
      settings_(std::move(settings)),
      counters_(std::move(counters)),
      owner_(o),
      mode_(m),
      timer_(loop_->context()),
      reader_(settings_->limits) {}

redis_connection::~redis_connection() {
  const error gone(status::cancelled, "the connection's pool was freed", "redis");
  while (!sent_.empty())
    if (auto *r = sent_.pop()) r->finish(gone);
  for (auto *r : unsent_) r->finish(gone);
  for (auto *r = posted_.take(); r;) std::exchange(r, r->next)->finish(gone);
}

void redis_connection::expect(std::size_t requests) noexcept {
  worth_a_write_ = std::max(early_flush, requests / 2);
  const bool is_burst = requests >= least_halved && state_ == state::up && under_way() == 0;
  halves_ = is_burst && is_near_;
  if (is_burst) burst_at_ = clock::now();
}

void redis_connection::submit(redis_request *r) {
  if (state_ == state::closed) {
    r->finish(error(status::lost, "the connection was lost before the command was sent; take a new lease", "redis", "CLOSED",
                    error::retriable));
    return;
  }
  unsent_.push_back(r);
  unsent_bytes_ += r->command.encoded().size();
  asks_on_reply_ = in_replies_;
  if (owner_) owner_->connection_deadline(r->deadline);
  // As soon as as many wait as are unanswered they leave, so that the server works while this thread goes on with its batch;
  // so does what is long, for reading it is work too.
  if (unsent_bytes_ >= early_bytes) halves_ = holds_ = false;
  if (state_ == state::up &&
      ((unsent_.size() >= worth_a_write_ && unsent_.size() >= sent_.size()) || unsent_bytes_ >= early_bytes)) {
    flush();
    holds_ = holds_ || std::exchange(halves_, false);
  } else {
    schedule_flush();
  }
}

void redis_connection::post_request(redis_request *r) {
  if (loop_->is_here() && posted_.empty()) return submit(r);
  if (posted_.push(r)) loop_->post([self = shared_from_this()] { self->drain_inbox(); });
}

void redis_connection::drain_inbox() {
  batch_scope batch;
  for (auto *r = posted_.take(); r;) submit(std::exchange(r, r->next));
}

void redis_connection::push_command(const redis_command &c) {
  fmt::format_to(std::back_inserter(out_), "*{}\r\n", c.arguments());
  out_ += c.encoded();
  schedule_flush();
}

void redis_connection::schedule_flush() {
  if (flush_scheduled_ || writing_ || state_ != state::up) return;
  flush_scheduled_ = true;
  if (batch_scope::at_end(batch_scope::write, *this))
    flushing_ = shared_from_this();
  else
    loop_->post([self = shared_from_this()] { self->end_of_batch(); });
}

void redis_connection::end_of_batch() noexcept {
  auto keep = std::move(flushing_);
  flush_scheduled_ = false;
  flush();
}

void redis_connection::flush() {
  if (writing_ || holds_ || state_ != state::up) return;
  for (;;) {
    while (!unsent_.empty() && out_.size() < write_goal) {
      auto *r = unsent_.front();
      unsent_.pop_front();
      unsent_bytes_ -= r->command.encoded().size();
      char header[16] = {'*'};
      char *end = std::to_chars(header + 1, header + sizeof header, r->command.arguments()).ptr;
      *end++ = '\r';
      *end++ = '\n';
      out_.append(header, static_cast<std::size_t>(end - header));
      out_ += r->command.encoded();
      sent_.push(r);
      if (!r->is_ping) counters_->sent.add(1);
    }
    if (out_.empty()) return;
    boost::system::error_code ec;
    written_ = stream_->write_now(boost::asio::buffer(out_), ec);
    if (ec && ec != boost::asio::error::would_block) return close(os_error(status::lost, "writing to Redis failed", ec));
    if (written_ != out_.size()) return write_rest();
    if (out_.capacity() > kept_output && unsent_.empty()) std::string().swap(out_);
    out_.clear();
  }
}

void redis_connection::write_rest() {
  writing_ = true;
  stream_->async_write_some(boost::asio::buffer(out_) + written_,
                            [self = shared_from_this()](boost::system::error_code ec, std::size_t size) {
                              if (self->state_ == state::closed) return;
                              if (ec) return self->close(os_error(status::lost, "writing to Redis failed", ec));
                              self->written_ += size;
                              if (self->written_ != self->out_.size()) return self->write_rest();
                              self->writing_ = false;
                              self->out_.clear();
                              if (self->state_ == state::up) self->flush();
                            });
}

void redis_connection::read() {
  stream_->async_read_some(
      boost::asio::buffer(in_.get(), read_size),
      [self = shared_from_this()](boost::system::error_code ec, std::size_t size) { self->on_read(ec, size); });
}

void redis_connection::on_read(boost::system::error_code ec, std::size_t size) {
  if (state_ == state::closed) return;
  if (ec) {
    batch_scope batch;
    return close(os_error(status::lost, "the connection to Redis was lost", ec));
  }
  if (!consume(size)) return;
  for (unsigned polled = 0; polled < busy_poll::in_a_row; ++polled) {
    size = poll();
    if (size == 0) break;
    if (!consume(size)) return;
  }
  read();
}

bool redis_connection::consume(std::size_t size) {
  {  // what the replies give rise to is written before the next read is begun
    batch_scope batch;
    last_read_ = clock::now();
    if (burst_at_ != clock::time_point{}) is_near_ = last_read_ - std::exchange(burst_at_, {}) < near;
    if (std::exchange(holds_, false)) flush();
    if (state_ == state::closed) return false;
    if (std::exchange(pinging_, false) && state_ == state::up) arm_watch(last_read_ + idle_);
    for (std::size_t at = 0; at < size; at += feed_size) {
      reader_.feed(in_.get() + at, std::min(feed_size, size - at));
      in_replies_ = true;
      const bool goes_on = take_replies();
      in_replies_ = false;
      if (!goes_on) return false;
    }
  }
  return state_ != state::closed;
}

std::size_t redis_connection::poll() {
  const auto limit = settings_->options.busy_poll;
  if (limit <= 0us || !asks_on_reply_ || mode_ == mode::pushes || stream_->is_tls() || writing_ || !unsent_.empty() ||
      !polling_.worth_it(sent_.size()))
    return 0;
  const auto end = clock::now() + limit;
  do {
    boost::system::error_code ec;
    if (const auto size = stream_->lowest().read_some(boost::asio::buffer(in_.get(), read_size), ec); size != 0) {
      polling_.succeeded();
      return size;
    }
    if (ec != boost::asio::error::would_block) return 0;  // the read that waits says what it is
  } while (clock::now() < end);
  polling_.failed();
  return 0;
}

bool redis_connection::take_replies() {
  redis_reply reply;
  error why;
  for (;;) {
    switch (reader_.next(reply, why)) {
      case reply_reader::outcome::more:
        return true;
      case reply_reader::outcome::failed:
        // The caller whose reply it was is told the limit; the others, and their unsent successors, lost the connection.
        if (auto *r = sent_.empty() ? nullptr : sent_.pop()) r->finish(why);
        close(why);
        return false;
      case reply_reader::outcome::reply:
        deliver(std::move(reply));
        break;
    }
    if (state_ == state::closed) return false;
  }
}

void redis_connection::deliver(redis_reply r) {
  if (state_ == state::handshake) return handshake_reply(r);
  if (mode_ == mode::pushes) {
    if (owner_) owner_->connection_push(*this, std::move(r));
    return;
  }
  if (sent_.empty())
    return close(r->type() == redis_node::kind::error
                     ? server_error(r->text())
                     : error(status::protocol, "Redis sent a reply that nobody asked for", "redis", "RESP"));
  auto *request = sent_.pop();
  if (!request) return;
  if (request->is_ping) return request->finish(std::move(r));
  counters_->answered.add(1);
  settled_.add(1);
  if (r->type() == redis_node::kind::error) {
    request->finish(server_error(r->text()));
  } else if (settings_->options.utf8_replies && !is_utf8(r.root())) {
    request->finish(error(status::protocol,
                          "the reply holds bytes that are not UTF-8, and this pool hands out text only (utf8_replies); the "
                          "command was applied",
                          "redis", "UTF8", error::maybe_applied));
  } else {
    request->finish(std::move(r));
  }
}

void redis_connection::close(error why) {
  if (state_ == state::closed) return;
  auto keep = shared_from_this();
  state_ = state::closed;
  closed_.store(true, std::memory_order_release);
  timer_.cancel();
  resolving_.reset();
  if (race_) race_->cancel();
  race_.reset();
  if (stream_) stream_->close();
  request_list sent, unsent = std::exchange(unsent_, {});
  while (!sent_.empty())
    if (auto *r = sent_.pop()) sent.push_back(r);
  unsent_bytes_ = 0;
  for (auto *r = posted_.take(); r;) unsent.push_back(std::exchange(r, r->next));
  if (auto *o = std::exchange(owner_, nullptr)) {
    o->connection_closed(*this, why, std::move(sent), std::move(unsent));
  } else {
    for (auto *r : sent) r->finish(why);
    for (auto *r : unsent) r->finish(why);
  }
}

void redis_connection::dismiss(const error &why) {
  owner_ = nullptr;
  close(why);
}

void redis_connection::watch(std::chrono::milliseconds idle, std::chrono::milliseconds overdue) {
  idle_ = idle;
  overdue_ = overdue;
  if (state_ == state::up && !pinging_) {
    if (idle_ > 0ms)
      arm_watch(last_read_ + idle_);
    else
      timer_.cancel();
  }
}

void redis_connection::arm_watch(clock::time_point when) {
  if (idle_ <= 0ms && !pinging_) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(when);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec && self->state_ == state::up) self->on_watch();
  });
}

void redis_connection::on_watch() {
  batch_scope batch;
  const auto now = clock::now();
  if (pinging_)
    return close(error(status::lost, fmt::format("Redis did not answer a PING within {} ms", overdue_.count()), "redis",
                       "PING", error::retriable));
  if (idle_ <= 0ms) return;
  if (now < last_read_ + idle_) return arm_watch(last_read_ + idle_);
  if (lease.leased.load(std::memory_order_acquire)) return arm_watch(now + idle_);
  ping();
}

void redis_connection::probe() {
  if (state_ == state::up && !pinging_) ping();
}

void redis_connection::ping() {
  pinging_ = true;
  if (mode_ == mode::pushes)
    push_command(redis_command("PING"));
  else
    submit(new ping_request);
  arm_watch(clock::now() + overdue_);
}

}  // namespace corbel::detail
