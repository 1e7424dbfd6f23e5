// What is put: as one plain command, or as the arguments of the script.
#include "queue/native/element.hpp"
#include "queue/native/native_protocol.hpp"

namespace corbel::detail {

namespace {

constexpr std::size_t head_bytes = 24;  // of an element, beside id and group

bool is_later(const put_item &item) noexcept {
  return item.delay > item.delay.zero() || item.not_before != std::chrono::system_clock::time_point();
}
/// To be pushed, and no more. Of groups the server has to know.
bool is_plain(const put_item &item) noexcept {
  return item.idempotency_key.empty() && item.group.empty() && !is_later(item);
}

std::int64_t milliseconds_of(std::chrono::system_clock::time_point t) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

}  // namespace

std::optional<redis_command> native_protocol::plain_put(const std::vector<put_group> &groups, std::int64_t now) const {
  if (lanes_.size() > 1) return {};
  std::size_t bytes = 0, count = 0;
  for (const auto &items : groups) {
    count += items.size();
    for (const auto &item : items) {
      if (!is_plain(item)) return {};
      bytes += item.id.size() + item.body.size() + head_bytes;
    }
  }
  redis_command command("LPUSH", ready_.front());
  command.reserve(bytes, count);
  std::string element;
  for (const auto &items : groups) {
    for (const auto &item : items) {
      write_native_element(element, item.id, now, {}, item.body);
      command.push(element);
    }
  }
  return command;
}

void native_protocol::push_items(redis_command &command, const std::vector<put_group> &groups,
                                 std::optional<std::int64_t> now) const {
  std::size_t bytes = 0, count = 0;
  for (const auto &items : groups) {
    count += 2 * items.size() + 1;
    for (const auto &item : items) bytes += item.id.size() + item.body.size() + head_bytes;
  }
  command.reserve(bytes, count);
  std::string head, element;
  for (const auto &items : groups) {
    command.push(items.size());
    for (const auto &item : items) {
      const bool later = is_later(item);
      if (now && lanes_.size() == 1 && is_plain(item)) {
        write_native_element(element, item.id, *now, {}, item.body);
        command.push("").push(element);
        continue;
      }
      if (lanes_.size() == 1 && is_plain(item)) {
        command.push(item.id).push(item.body);
        continue;
      }
      head.assign(item.id).append(1, unit).append(std::to_string(lane_of(item) + 1)).append(1, unit).append(item.group);
      head.append(1, unit).append(item.idempotency_key).append(1, unit);
      if (item.delay > item.delay.zero())
        head.append(1, '+').append(std::to_string(item.delay.count()));
      else if (later)
        head.append(std::to_string(milliseconds_of(item.not_before)));
      command.push(head).push(item.body);
    }
  }
}

}  // namespace corbel::detail
