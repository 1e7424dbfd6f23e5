#include <corbel/redis_command.hpp>

#include <cstring>

namespace corbel {

redis_command &redis_command::push(std::string_view argument) {
  char header[32];
  header[0] = '$';
  char *end = std::to_chars(header + 1, header + sizeof header, argument.size()).ptr;
  *end++ = '\r';
  *end++ = '\n';
  bytes_.append(header, static_cast<std::size_t>(end - header));
  bytes_.append(argument);
  bytes_.append("\r\n", 2);
  ++count_;
  return *this;
}

std::string_view redis_command::argument(std::size_t i) const noexcept {
  const char *p = bytes_.data(), *end = p + bytes_.size();
  while (p < end) {
    std::size_t size = 0;
    p = std::from_chars(p + 1, end, size).ptr + 2;
    if (i-- == 0) return {p, size};
    p += size + 2;
  }
  return {};
}

}  // namespace corbel
