#include "redis/protocol/reply_reader.hpp"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <new>
#include <string_view>

namespace corbel {

reply_reader::reply_reader(const reply_limits &limits)
    : limits_(limits),
      builder_(limits.elements, limits.depth),
      reader_(redisReaderCreateWithFunctions(reply_builder::functions()), redisReaderFree) {
  if (!reader_) throw std::bad_alloc();
  reader_->privdata = &builder_;
#if HIREDIS_MAJOR >= 1
  reader_->maxelements = 0;
#endif
}

reply_reader::~reply_reader() = default;

bool reply_reader::has_settable_depth() noexcept { return HIREDIS_MAJOR >= 1; }

void reply_reader::feed(const char *data, std::size_t size) {
  unread_ += size;
  if (unread_ <= limits_.bytes) redisReaderFeed(reader_.get(), data, size);
}

reply_reader::outcome reply_reader::next(redis_reply &out, error &why) {
  void *root = nullptr;
  if (redisReaderGetReply(reader_.get(), &root) != REDIS_OK) {
    why = explain();
    return outcome::failed;
  }
  if (root) {
    out = redis_reply::adopt(static_cast<reply_block *>(root));
    builder_.begin_reply();
    unread_ = reader_->len - reader_->pos;
    return outcome::reply;
  }
  if (unread_ > limits_.bytes || declared() > limits_.bytes) {
    why = error(status::protocol,
                fmt::format("a reply passed the limit of {} bytes (max_reply_bytes): ask for less, or raise the limit",
                            limits_.bytes),
                "redis", "REPLY_BYTES");
    return outcome::failed;
  }
  return outcome::more;
}

std::uint64_t reply_reader::declared() const noexcept {
  // While a bulk string is incomplete the reader stands behind the '$' of its header.
  if (reader_->ridx < 0) return 0;
#if HIREDIS_MAJOR >= 1
  const auto &item = *reader_->task[reader_->ridx];
#else
  const auto &item = reader_->rstack[reader_->ridx];
#endif
  if (item.type != REDIS_REPLY_STRING) return 0;
  const char *at = reader_->buf + reader_->pos, *end = reader_->buf + reader_->len;
  std::uint64_t size = 0;
  auto [stop, ec] = std::from_chars(at, end, size);
  return ec == std::errc() && stop != end && *stop == '\r' ? size : 0;
}

error reply_reader::explain() const {
  if (builder_.passed() == reply_builder::limit::elements)
    return error(
        status::protocol,
        fmt::format("a reply passed the limit of {} elements (max_reply_elements): ask for less, or raise the limit",
                    limits_.elements),
        "redis", "REPLY_ELEMENTS");
  std::string_view text = reader_->errstr;
  if (builder_.passed() == reply_builder::limit::depth || text.find("nested") != text.npos)
    return error(status::protocol,
                 fmt::format("a reply is nested deeper than the limit of {} (max_reply_depth): ask for less", limits_.depth),
                 "redis", "REPLY_DEPTH");
  if (reader_->err == REDIS_ERR_OOM) return error::out_of_memory();
  std::string printable;
  for (char c : text) printable += std::isprint(static_cast<unsigned char>(c)) ? c : '?';
  return error(status::protocol,
               fmt::format("the peer does not speak RESP: {}; check that host and port are a Redis server", printable),
               "redis", "RESP");
}

}  // namespace corbel
