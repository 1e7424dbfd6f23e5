#include "bundle/blocking/file_list.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fcntl.h>
#include <fstream>
#include <future>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace corbel::detail {

namespace {

constexpr std::string_view title = "corbel files 1 ";
constexpr std::size_t enough_for_two = 4000;  ///< files that two threads look at

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

bool is_as_made(const listed_file &f, int top) {
  struct stat s;
  if (::fstatat(top, f.entry.path.c_str(), &s, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (static_cast<std::uint64_t>(s.st_size) != f.size) return false;
  return f.entry.kind == git_entry_kind::link ? S_ISLNK(s.st_mode) : is_pristine(s, f.entry);
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

std::optional<file_list> read_file_list(const std::filesystem::path &file) {
  std::ifstream in(file, std::ios::binary);
  return file_list::read(std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()});
}

std::vector<const listed_file *> find_spoiled(const file_list &list, const std::filesystem::path &folder) {
  const int top = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const auto among = [&](std::size_t begin, std::size_t end) {
    std::vector<const listed_file *> out;
    for (std::size_t i = begin; i < end; ++i)
      if (!is_as_made(list.files[i], top)) out.push_back(&list.files[i]);
    return out;
  };
  const auto size = list.files.size();
  auto half = std::async(size < enough_for_two ? std::launch::deferred : std::launch::async, among, 0, size / 2);
  const auto second = among(size / 2, size);
  auto out = half.get();
  out.insert(out.end(), second.begin(), second.end());
  if (top >= 0) ::close(top);
  return out;
}

}  // namespace corbel::detail
