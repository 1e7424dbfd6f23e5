#include "bundle/blocking/file_list.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace corbel::detail {

namespace {

constexpr std::string_view title = "corbel files 1 ";

/// Takes the number before `end` off the text.
bool take_number(std::string_view &text, char end, std::uint64_t &out) {
  const auto at = text.find(end);
  if (at == text.npos) return false;
  auto [stop, ec] = std::from_chars(text.data(), text.data() + at, out);
  if (ec != std::errc() || stop != text.data() + at) return false;
  text.remove_prefix(at + 1);
  return true;
}

std::optional<checkout_figures> take_head(std::string_view &text) {
  checkout_figures f;
  if (!text.starts_with(title)) return {};
  text.remove_prefix(title.size());
  if (!take_number(text, ' ', f.files) || !take_number(text, '\0', f.bytes)) return {};
  return f;
}

}  // namespace

std::string file_list::text() const {
  std::string out = fmt::format("{}{} {}", title, figures.files, figures.bytes);
  out += '\0';
  for (const auto &f : files) {
    const char kind = f.entry.kind == git_entry_kind::link ? 'l' : f.entry.kind == git_entry_kind::program ? 'x' : 'r';
    out += fmt::format("{}{} {} {}", kind, f.size, f.entry.id, f.entry.path);
    out += '\0';
  }
  return out;
}

std::optional<file_list> file_list::read(std::string_view text) {
  file_list out;
  auto head = take_head(text);
  if (!head) return {};
  out.figures = *head;
  while (!text.empty()) {
    listed_file f;
    const char kind = text.front();
    text.remove_prefix(1);
    f.entry.kind = kind == 'l' ? git_entry_kind::link : kind == 'x' ? git_entry_kind::program : git_entry_kind::file;
    if ((kind != 'l' && kind != 'x' && kind != 'r') || !take_number(text, ' ', f.size)) return {};
    const auto end = text.find('\0');
    if (end == text.npos || end < 42 || text[40] != ' ') return {};
    f.entry.id = text.substr(0, 40);
    f.entry.path = text.substr(41, end - 41);
    text.remove_prefix(end + 1);
    out.files.push_back(std::move(f));
  }
  if (out.files.size() != out.figures.files) return {};
  return out;
}

std::optional<checkout_figures> file_list::read_head(std::string_view text) { return take_head(text); }

std::vector<const listed_file *> find_spoiled(const file_list &list, const std::filesystem::path &folder) {
  std::vector<const listed_file *> out;
  const int top = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (const auto &f : list.files) {
    struct stat s;
    bool good = ::fstatat(top, f.entry.path.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0 &&
                static_cast<std::uint64_t>(s.st_size) == f.size;
    if (good && f.entry.kind == git_entry_kind::link)
      good = S_ISLNK(s.st_mode);
    else if (good)
      good = is_pristine(s, f.entry);
    if (!good) out.push_back(&f);
  }
  if (top >= 0) ::close(top);
  return out;
}

}  // namespace corbel::detail
