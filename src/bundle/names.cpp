#include "bundle/names.hpp"

#include <openssl/evp.h>

#include <array>

namespace corbel::detail {

namespace {

/// What is no letter, digit, '-', '_', '.' or '@' becomes '-'; the first 64.
std::string readable(std::string_view text) {
  std::string out(text.substr(0, 64));
  for (char &c : out) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '@';
    if (!plain) c = '-';
  }
  if (out.starts_with('.') || out.starts_with('-')) out.front() = '_';
  return out;
}

std::string digits(std::string_view text) {
  std::array<unsigned char, 32> hash{};
  unsigned size = hash.size();
  ::EVP_Digest(text.data(), text.size(), hash.data(), &size, ::EVP_sha256(), nullptr);
  std::string out;
  for (std::size_t i = 0; i < 8; ++i)
    for (int shift : {4, 0}) out += "0123456789abcdef"[hash[i] >> shift & 15];
  return out;
}

}  // namespace

std::string repository_folder(const git_location &where) { return readable(where.name) + "-" + digits(where.identity); }

std::string bundle_folder(std::string_view id) { return readable(id) + "-" + digits(id); }

}  // namespace corbel::detail
