#pragma once
/// Text files of a folder, as far as they are new. Blocks: for threads that may.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace corbel {

struct text_file {
  std::string path;         ///< below the folder, with /
  std::string type;         ///< extension without the dot, small letters
  std::string fingerprint;  ///< changes with size and time of the last write
  std::uint64_t size = 0;
  std::string text;  ///< valid UTF-8 without NUL, cut at the limit
};

struct text_scan {
  std::vector<text_file> changed;    ///< new, or other than known
  std::vector<std::string> present;  ///< all paths
  std::vector<std::string> faults;   ///< what could not be read, and why
};

/// known: path -> fingerprint. Looks at files that end in .txt, .md, .rst, .csv, .json, .log or .html, does not follow
/// symbolic links, and brings at most `most` changed ones at once.
text_scan scan_text_files(const std::string &folder, const std::map<std::string, std::string> &known,
                          std::uint64_t max_bytes = 1 << 20, std::size_t most = 200);

}  // namespace corbel
