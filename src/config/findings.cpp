#include "config/findings.hpp"

#include "base/code_point.hpp"
#include "base/redact.hpp"
#include "json/writer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

namespace {

constexpr std::size_t shown = 60;

std::string text_found(std::string_view given) {
  // A URL in the wrong place is still one with a password.
  const std::string text = given.find('@') == given.npos ? std::string(given) : redact_url(given);
  auto cut = std::min(text.size(), shown);
  while (cut < text.size() && cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  std::string out;
  json_writer(out).value(std::string_view(text).substr(0, cut));
  return cut < text.size() ? fmt::format("{}... ({} bytes of text)", out, text.size()) : out + " (text)";
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Keys may be any text; a message is one line.
std::string shown_path(const std::string &path) { return one_line(path.size() <= 300 ? path : path.substr(0, 300) + "..."); }

/// Insertions, deletions, replacements and swaps of neighbours between two names.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

}  // namespace

void findings::fault(std::string path, std::string found, std::string allowed) {
  path = shown_path(path);
  if (faults_.size() >= most) return;
  const bool known = std::any_of(faults_.begin(), faults_.end(), [&](const gateway_fault &f) {
    return f.path == path && f.found == found && f.allowed == allowed;
  });
  if (!known) faults_.push_back({std::move(path), std::move(found), std::move(allowed)});
}

void findings::fault(const json_value &at, std::string allowed) { fault(at.path(), found_text(at), std::move(allowed)); }

void findings::warn(std::string path, std::string what) {
  path = shown_path(path);
  if (warnings_.size() >= most) return;
  const bool known = std::any_of(warnings_.begin(), warnings_.end(),
                                 [&](const gateway_warning &w) { return w.path == path && w.what == what; });
  if (!known) warnings_.push_back({std::move(path), std::move(what)});
}

void findings::unknown(const json_value &at, std::string_view key, const std::vector<std::string_view> &known) {
  if (warnings_.size() >= most) return;
  warn(at.path(), fmt::format("unknown key, ignored; the nearest known one is \"{}\"", nearest(key, known)));
}

std::string found_text(const json_value &v) {
  switch (v.kind()) {
    case json_kind::text:
      return text_found(*v.text());
    case json_kind::integer:
    case json_kind::number:
    case json_kind::boolean:
    case json_kind::null: {
      std::string out;
      json_writer(out).value(v);
      return out;
    }
    case json_kind::array:
    case json_kind::object:
      break;
  }
  return json_kind_name(v.kind());
}

std::string_view nearest(std::string_view name, const std::vector<std::string_view> &known) {
  // Names that are longer than any key differ by their tail anyway: the cost stays bounded.
  name = name.substr(0, 128);
  return *std::min_element(known.begin(), known.end(),
                           [&](std::string_view a, std::string_view b) { return edits(name, a) < edits(name, b); });
}

}  // namespace corbel::detail
