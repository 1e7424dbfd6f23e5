#include <corbel/redis_command.hpp>

namespace corbel {

redis_command &redis_command::push(std::string_view argument) {
  constexpr std::size_t short_argument = 96, header_size = 24;
  char header[header_size + short_argument + 2];
  header[0] = '$';
  char *end = std::to_chars(header + 1, header + header_size - 2, argument.size()).ptr;
  *end++ = '\r';
  *end++ = '\n';
  if (argument.size() <= short_argument) {  // one append is cheaper than three
    end += argument.copy(end, argument.size());
    *end++ = '\r';
    *end++ = '\n';
    bytes_.append(header, static_cast<std::size_t>(end - header));
    ++count_;
    return *this;
  }
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
