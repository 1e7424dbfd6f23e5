#include "operations/text_files.hpp"

#include "base/json_string.hpp"
#include "json/document.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

namespace corbel {

namespace fs = std::filesystem;

namespace {

const std::set<std::string, std::less<>> types = {"txt", "md", "rst", "csv", "json", "log", "html"};

std::string type_of(const fs::path &p) {
  auto type = p.extension().string();
  if (!type.empty()) type.erase(0, 1);
  std::ranges::transform(type, type.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return type;
}

/// The text with what is no UTF-8 replaced, and without NUL, which PostgreSQL does not take.
std::string clean(const std::string &bytes) {
  std::string quoted;
  detail::append_json_string(quoted, bytes);
  auto document = json_document::parse(quoted, {.bytes = quoted.size() + 1});
  auto text = document ? document->root().text() : result<std::string_view>(document.error());
  std::string out(text ? *text : std::string_view());
  std::erase(out, '\0');
  return out;
}

}  // namespace

text_scan scan_text_files(const std::string &folder, const std::map<std::string, std::string> &known,
                          std::uint64_t max_bytes, std::size_t most) {
  text_scan scan;
  std::error_code ec;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, ec);
  if (ec) {
    scan.faults.push_back(folder + ": " + ec.message());
    return scan;
  }
  for (const fs::recursive_directory_iterator end; at != end; at.increment(ec)) {
    if (ec) {
      scan.faults.push_back(folder + ": " + ec.message());
      break;
    }
    const auto type = type_of(at->path());
    if (!types.contains(type) || at->is_symlink(ec) || !at->is_regular_file(ec)) continue;
    text_file f{.path = fs::relative(at->path(), folder, ec).generic_string(), .type = type, .fingerprint = {}, .text = {}};
    const auto size = at->file_size(ec);
    const auto time = at->last_write_time(ec);
    if (ec) continue;  // it went away meanwhile
    f.size = size;
    f.fingerprint = std::to_string(size) + "-" + std::to_string(time.time_since_epoch().count());
    scan.present.push_back(f.path);
    if (auto k = known.find(f.path); (k != known.end() && k->second == f.fingerprint) || scan.changed.size() >= most)
      continue;
    std::ifstream file(at->path(), std::ios::binary);
    std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(size, max_bytes)), '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    if (file.bad() || (!file && !file.eof())) {
      scan.faults.push_back(f.path + ": cannot be read");
      continue;
    }
    f.text = clean(bytes);
    scan.changed.push_back(std::move(f));
  }
  return scan;
}

}  // namespace corbel
