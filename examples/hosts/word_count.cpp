#include "word_count.hpp"

#include <algorithm>
#include <unordered_map>

namespace {

bool in_word(char c) {
  auto u = static_cast<unsigned char>(c);
  return u >= 0x80 || (u >= '0' && u <= '9') || (u >= 'A' && u <= 'Z') || (u >= 'a' && u <= 'z') || u == '\'';
}

}  // namespace

word_count count_words(std::string_view text, std::size_t how_many) {
  std::unordered_map<std::string, std::size_t> counts;
  word_count result;
  for (auto at = text.begin(); at != text.end();) {
    auto from = std::find_if(at, text.end(), in_word);
    at = std::find_if_not(from, text.end(), in_word);
    if (from == at) continue;
    std::string word(from, at);
    for (auto &c : word) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    ++counts[std::move(word)];
    ++result.words;
  }
  result.distinct = counts.size();
  result.top.assign(counts.begin(), counts.end());
  auto more = [](const auto &a, const auto &b) { return a.second != b.second ? a.second > b.second : a.first < b.first; };
  auto kept = std::min(how_many, result.top.size());
  std::partial_sort(result.top.begin(), result.top.begin() + static_cast<std::ptrdiff_t>(kept), result.top.end(), more);
  result.top.resize(kept);
  return result;
}
