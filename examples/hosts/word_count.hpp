#pragma once
/// What proc does with a text: counts its words.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct word_count {
  std::size_t words = 0, distinct = 0;
  std::vector<std::pair<std::string, std::size_t>> top;  ///< the most frequent, by count, then by name
};

/// Words are runs of letters, digits and apostrophes; what is not ASCII counts as a letter; ASCII is lower-cased.
word_count count_words(std::string_view text, std::size_t how_many = 10);
