#pragma once
/// One Redis command, any bytes, encoded as it is built.
///
///     redis_command("SET", key, value, "PX", 5000)
///     redis_command("DEL").push_all(keys)

#include <corbel/detail/block_cache.hpp>

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace corbel {

class redis_command {
 public:
  template <class... Args>
  explicit redis_command(std::string_view name, const Args &...args) {
    bytes_.reserve(32 + name.size() + (std::size_t{0} + ... + size_hint(args)));
    push(name);
    (push(args), ...);
  }

  redis_command &push(std::string_view argument);
  redis_command &push(std::integral auto number) {
    char text[24];
    auto end = std::to_chars(text, text + sizeof text, number).ptr;
    return push(std::string_view(text, end));
  }
  template <class Range>
  redis_command &push_all(const Range &arguments) {
    for (const auto &a : arguments) push(a);
    return *this;
  }

  /// Room for arguments of so many bytes in all, so that pushing `count` of them allocates once.
  redis_command &reserve(std::size_t bytes, std::size_t count) {
    bytes_.reserve(bytes_.size() + bytes + 16 * count);
    return *this;
  }

  std::uint32_t arguments() const noexcept { return count_; }
  /// The arguments as RESP bulk strings, without the array header that says how many they are.
  std::string_view encoded() const noexcept { return bytes_; }
  /// First argument.
  std::string_view name() const noexcept { return argument(0); }
  /// The i-th argument, found by walking the encoding; empty past the end.
  std::string_view argument(std::size_t i) const noexcept;

 private:
  static std::size_t size_hint(std::string_view s) noexcept { return s.size() + 16; }
  static std::size_t size_hint(std::integral auto) noexcept { return 32; }

  std::basic_string<char, std::char_traits<char>, detail::block_allocator<char>> bytes_;
  std::uint32_t count_ = 0;
};

}  // namespace corbel
