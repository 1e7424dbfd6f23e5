#include "base/redact_text.hpp"

#include "base/redact.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace corbel::detail {

namespace {

constexpr std::string_view hidden = "***";

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_alnum(char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9'); }
bool in_name(char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; }
bool ends_value(char c) { return std::string_view(" \t\r\n,;&\"'`)}]>").find(c) != std::string_view::npos; }
bool is_quote(char c) { return c == '"' || c == '\''; }

std::string small(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

template <std::size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N> &all) {
  return std::ranges::find(all, text) != all.end();
}

bool is_scheme(std::string_view word) {
  static constexpr std::array<std::string_view, 5> schemes = {"bearer", "basic", "digest", "token", "negotiate"};
  return one_of(small(word), schemes);
}

/// Whether the word after Bearer or Basic is no word of a language.
bool is_credential(std::string_view word) {
  auto odd = [](char c) { return !is_alnum(c) || (c >= '0' && c <= '9') || is_upper(c); };
  return word.size() >= 16 || (word.size() >= 6 && std::ranges::any_of(word, odd));
}

class scan {
 public:
  explicit scan(std::string_view text) : text_(text) { out_.reserve(text.size()); }

  std::string run() {
    while (at_ < text_.size()) {
      if (!in_name(text_[at_]))
        out_ += text_[at_++];
      else
        word();
    }
    return std::move(out_);
  }

 private:
  std::size_t skip(std::size_t from, auto &&wanted) const {
    while (from < text_.size() && wanted(text_[from])) ++from;
    return from;
  }
  std::size_t skip_spaces(std::size_t from) const {
    return skip(from, [](char c) { return c == ' ' || c == '\t'; });
  }
  std::size_t skip_value(std::size_t from) const {
    return skip(from, [](char c) { return !ends_value(c); });
  }
  void copy_to(std::size_t end) {
    out_ += text_.substr(at_, end - at_);
    at_ = end;
  }
  void hide_to(std::size_t end) {
    if (end > at_) out_ += hidden;
    at_ = end;
  }

  void word() {
    const auto begin = at_, end = skip(at_, in_name);
    const auto name = text_.substr(begin, end - begin);
    if (text_.substr(end).starts_with("://")) return url();
    copy_to(end);
    if (const auto plain = small(name); plain == "bearer" || plain == "basic") return credential();
    if (!names_secret_field(name)) return;
    if (auto value = value_after(end)) {
      copy_to(*value);
      hide_value();
    }
  }

  void url() {
    const auto end = skip(at_, [](char c) { return !is_quote(c) && c != ' ' && c != '\t' && c != '<' && c != '>'; });
    out_ += redact_url(text_.substr(at_, end - at_));
    at_ = end;
  }

  void credential() {
    const auto from = skip_spaces(at_);
    auto to = skip(from, [](char c) { return is_alnum(c) || std::string_view("-._~+/").find(c) != std::string_view::npos; });
    if (from == at_ || !is_credential(text_.substr(from, to - from))) return;
    to = skip(to, [](char c) { return c == '='; });
    if (to < text_.size() && !ends_value(text_[to])) return;  // a name with a value of its own
    copy_to(from);
    hide_to(to);
  }

  /// Where the value begins that a name has which ends here: after '=' or ':', also where the name was quoted.
  std::optional<std::size_t> value_after(std::size_t end) const {
    auto at = end;
    if (at < text_.size() && text_[at] == '\\') ++at;
    if (at < text_.size() && is_quote(text_[at])) ++at;
    at = skip_spaces(at);
    if (at >= text_.size() || (text_[at] != '=' && text_[at] != ':')) return {};
    return skip_spaces(at + 1);
  }

  void hide_value() {
    const bool escaped = at_ < text_.size() && text_[at_] == '\\';
    if (escaped) copy_to(at_ + 1);
    if (at_ < text_.size() && is_quote(text_[at_])) {
      const char quote = text_[at_];
      copy_to(at_ + 1);
      auto end = at_;
      while (end < text_.size() && text_[end] != quote) {
        const bool pair = text_[end] == '\\' && end + 1 < text_.size();
        if (pair && escaped && text_[end + 1] == quote) break;
        end += pair ? 2 : 1;
      }
      return hide_to(std::min(end, text_.size()));
    }
    auto end = skip_value(at_);
    const bool more =
        is_scheme(text_.substr(at_, end - at_)) || (end > at_ && (text_[end - 1] == ':' || text_[end - 1] == '='));
    if (more) end = skip_value(skip_spaces(end));
    hide_to(end);
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

bool names_secret_field(std::string_view name) {
  static constexpr std::array<std::string_view, 12> parts = {"password",      "passwd",     "passphrase", "secret",
                                                             "authorization", "credential", "apikey",     "privatekey",
                                                             "accesskey",     "cookie",     "bearer",     "signature"};
  static constexpr std::array<std::string_view, 5> whole = {"pwd", "pw", "pass", "auth", "jwt"};
  std::string plain;
  for (char c : name)
    if (is_alnum(c)) plain += lower(c);
  return std::ranges::any_of(parts, [&](auto p) { return plain.find(p) != plain.npos; }) || plain.ends_with("token") ||
         one_of(plain, whole);
}

std::string redact_text(std::string_view text) { return scan(text).run(); }

void redact_line(log_line &line) {
  line.text = redact_text(line.text);
  for (auto &field : line.fields)
    field.value = names_secret_field(field.name) ? std::string(hidden) : redact_text(field.value);
}

}  // namespace corbel::detail
