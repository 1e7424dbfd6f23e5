#include "queue/queue_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <sys/random.h>

namespace corbel::detail {

namespace {

error invalid(std::string text) { return error(status::invalid, std::move(text), "queue"); }

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

queue_keys::queue_keys(const std::string &name)
    : ready(name),
      inflight(name + ":inflight"),
      leases(name + ":leases"),
      attempts(name + ":attempts"),
      holders(name + ":holders"),
      token(name + ":token"),
      wake(name + ":wake") {}

std::string make_element(std::string_view id, std::string_view body) {
  std::string element;
  element.reserve(id.size() + 1 + body.size());
  element.append(id).append(1, '\n').append(body);
  return element;
}

std::size_t body_of(std::string_view element, std::string_view id) noexcept {
  return element.size() > id.size() && element.starts_with(id) && element[id.size()] == '\n' ? id.size() + 1 : 0;
}

std::string make_message_id() {
  unsigned char bytes[16];
  while (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
  }
  return fmt::format("{:02x}", fmt::join(bytes, bytes + sizeof bytes, ""));
}

void check_producer(const queue_options &options) {
  if (options.name.empty() || options.name.size() > 512)
    throw failure(invalid(fmt::format("the queue's name has {} bytes: give 1 to 512", options.name.size())));
}

void check_consumer(const queue_options &options) {
  check_producer(options);
  if (options.concurrency < 1 || options.concurrency > max_slots)
    throw failure(invalid(fmt::format("concurrency is {}: give 1 to {}", options.concurrency, max_slots)));
  if (options.prefetch > max_slots)
    throw failure(invalid(fmt::format("prefetch is {}: give 0 to {}", options.prefetch, max_slots)));
  if (options.lease < std::chrono::milliseconds(100) || options.lease > std::chrono::hours(24))
    throw failure(invalid(fmt::format("lease is {} ms: give 100 to 86400000", options.lease.count())));
}

error check_items(const std::vector<put_item> &items) {
  if (items.empty()) return invalid("a put without items: give at least one");
  std::size_t total = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto &[body, id] = items[i];
    if (body.size() > max_body_bytes)
      return invalid(fmt::format("the body of item {} has {} bytes: the limit is {}; put a reference to where it is kept", i,
                                 body.size(), max_body_bytes));
    if (id.size() > max_id_bytes)
      return invalid(fmt::format("the id of item {} has {} bytes: the limit is {}", i, id.size(), max_id_bytes));
    if (std::any_of(id.begin(), id.end(), is_control))
      return invalid(fmt::format("the id of item {} has a control character: leave it out", i));
    total += body.size();
  }
  if (total > max_put_bytes)
    return invalid(
        fmt::format("the bodies of {} items have {} bytes together: the limit of one put is {}; put them in parts",
                    items.size(), total, max_put_bytes));
  return {};
}

}  // namespace corbel::detail
