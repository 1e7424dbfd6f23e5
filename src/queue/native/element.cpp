#include "queue/native/element.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

namespace corbel::detail {

namespace {

constexpr char unit = '\x1f';
constexpr std::size_t longest_head = 300;

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_word(std::string_view s) noexcept { return !s.empty() && std::none_of(s.begin(), s.end(), is_control); }

std::string sha1_of(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  ::EVP_Digest(bytes.data(), bytes.size(), digest, &size, ::EVP_sha1(), nullptr);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

/// The text before the next unit separator, which is taken off with it.
std::string_view next_part(std::string_view &line) noexcept {
  const auto at = line.find(unit);
  auto part = line.substr(0, at);
  line = at == line.npos ? std::string_view() : line.substr(at + 1);
  return part;
}

}  // namespace

native_head read_native_head(std::string_view element) {
  native_head head;
  const auto end = element.substr(0, longest_head).find('\n');
  if (end != element.npos) {
    auto line = element.substr(0, end);
    if (is_word(line)) {
      head.id = line;
      head.body_at = end + 1;
      return head;
    }
    const auto id = next_part(line), put = next_part(line), group = line;
    if (is_word(id) && !put.empty() && put.find_first_not_of("0123456789") == put.npos &&
        std::none_of(group.begin(), group.end(), is_control)) {
      std::int64_t ms = 0;  // stays so where it is out of range
      std::from_chars(put.data(), put.data() + put.size(), ms);
      head.id = id;
      head.group = group;
      head.put_at = std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
      head.body_at = end + 1;
      return head;
    }
  }
  head.id = sha1_of(element);
  return head;
}

void write_native_element(std::string &element, std::string_view id, std::int64_t put_ms, std::string_view group,
                          std::string_view body) {
  char ms[24];
  element.assign(id).append(1, unit).append(ms, std::to_chars(ms, ms + sizeof ms, put_ms).ptr);
  if (!group.empty()) element.append(1, unit).append(group);
  element.append(1, '\n').append(body);
}

}  // namespace corbel::detail
