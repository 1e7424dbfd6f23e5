#include "queue/native/element.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

namespace corbel::detail {

namespace {

constexpr std::size_t longest_head = 300;

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

/// Where the line ends, and the first two unit separators in it; done for every message that is claimed.
struct head_line {
  std::size_t end = 0, first = 0, second = 0;  ///< 0: there is none
  bool controls = false;                       ///< others than these
};
head_line scan(std::string_view element) noexcept {
  head_line line;
  const auto end = element.substr(0, longest_head).find('\n');
  if (end == element.npos) return line;
  line.end = end;
  element = element.substr(0, end);
  unsigned units = 0;
  if (const auto first = element.find(unit); first != element.npos) {
    line.first = first;
    ++units;
    if (const auto second = element.find(unit, first + 1); second != element.npos) {
      line.second = second;
      ++units;
    }
  }
  for (const char c : element) units -= static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? 1 : 0;
  line.controls = units != 0;
  return line;
}

}  // namespace

native_head read_native_head(std::string_view element) {
  native_head head;
  const auto line = scan(element);
  if (line.end > 0 && !line.controls && element[0] != unit) {
    if (line.first == 0) {
      head.id = element.substr(0, line.end);
      head.body_at = line.end + 1;
      return head;
    }
    const auto put_end = line.second != 0 ? line.second : line.end;
    const auto put = element.substr(line.first + 1, put_end - line.first - 1);
    if (!put.empty() && put.find_first_not_of("0123456789") == put.npos) {
      std::int64_t ms = 0;  // stays so where it is out of range
      std::from_chars(put.data(), put.data() + put.size(), ms);
      head.id = element.substr(0, line.first);
      if (line.second != 0) head.group = element.substr(line.second + 1, line.end - line.second - 1);
      head.put_at = std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
      head.body_at = line.end + 1;
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
