#include "redis/protocol/reply_reader.hpp"

#include <fmt/format.h>

#include <cctype>
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
  if (unread_ > limits_.bytes) {
    why = error(status::protocol,
                fmt::format("a reply passed the limit of {} bytes (max_reply_bytes): ask for less, or raise the limit", limits_.bytes),
                "redis", "REPLY_BYTES");
    return outcome::failed;
  }
  return outcome::more;
}

error reply_reader::explain() const {
  if (builder_.passed() == reply_builder::limit::elements)
    return error(status::protocol,
                 fmt::format("a reply passed the limit of {} elements (max_reply_elements): ask for less, or raise the limit",
                             limits_.elements),
                 "redis", "REPLY_ELEMENTS");
  std::string_view text = reader_->errstr;
  if (builder_.passed() == reply_builder::limit::depth || text.find("nested") != text.npos)
    return error(status::protocol,
                 fmt::format("a reply is nested deeper than the limit of {} (max_reply_depth): ask for less", limits_.depth), "redis",
                 "REPLY_DEPTH");
  if (reader_->err == REDIS_ERR_OOM) return error::out_of_memory();
  std::string printable;
  for (char c : text) printable += std::isprint(static_cast<unsigned char>(c)) ? c : '?';
  return error(status::protocol, fmt::format("the peer does not speak RESP: {}; check that host and port are a Redis server", printable),
               "redis", "RESP");
}

}  // namespace corbel
