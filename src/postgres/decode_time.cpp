// Dates, times and intervals in text format.
#include "postgres/decode_text.hpp"

#include <string>

namespace corbel::detail {

namespace {

/// Reads from the front of a text; once something is missing, all that follows is false.
class scanner {
 public:
  explicit scanner(std::string_view text) noexcept : text_(text) {}
  bool number(std::int64_t &out) {
    const bool plus = !text_.empty() && text_[0] == '+';
    const char *begin = text_.data() + plus, *stop = text_.data() + text_.size();
    const auto [end, ec] = std::from_chars(begin, stop, out);
    if (ec != std::errc() || end == begin) return false;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return true;
  }
  bool skip(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  /// ".123" as microseconds; nothing is 0.
  bool fraction(std::int64_t &out) {
    out = 0;
    if (!skip(".")) return true;
    std::int64_t unit = 100000;
    bool any = false;
    while (!text_.empty() && text_[0] >= '0' && text_[0] <= '9') {
      out += (text_[0] - '0') * unit;
      unit /= 10;
      any = true;
      text_.remove_prefix(1);
    }
    return any;
  }
  bool done() const noexcept { return text_.empty(); }
  char peek() const noexcept { return text_.empty() ? '\0' : text_[0]; }

 private:
  std::string_view text_;
};

bool read_day(scanner &s, bool is_before_christ, std::chrono::sys_days &out) {
  std::int64_t year = 0, month = 0, day = 0;
  if (!s.number(year) || !s.skip("-") || !s.number(month) || !s.skip("-") || !s.number(day)) return false;
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || year > 6000000) return false;
  // std::chrono::year ends at 32767; days are counted here instead (Howard Hinnant's days_from_civil, era of 400 years).
  if (is_before_christ) year = 1 - year;
  const std::int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t yoe = y - era * 400, doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  out = std::chrono::sys_days(std::chrono::days(era * 146097 + doe - 719468));
  return true;
}

/// "10:20:30.5", unsigned, in microseconds.
bool read_time(scanner &s, std::int64_t &out) {
  std::int64_t hours = 0, minutes = 0, seconds = 0, fraction = 0;
  if (!s.number(hours) || !s.skip(":") || !s.number(minutes) || !s.skip(":") || !s.number(seconds) || !s.fraction(fraction))
    return false;
  if (hours < 0 || hours > 2562047788 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60) return false;
  return !__builtin_add_overflow(hours * 3600000000, minutes * 60000000 + seconds * 1000000 + fraction, &out);
}

bool take_era(std::string_view &text) noexcept {
  if (!text.ends_with(" BC")) return false;
  text.remove_suffix(3);
  return true;
}

}  // namespace

error parse_date(const pg_field &f, std::chrono::sys_days &out) {
  auto text = f.bytes;
  if (text == "infinity" || text == "-infinity") {
    out = text[0] == '-' ? std::chrono::sys_days::min() : std::chrono::sys_days::max();
    return {};
  }
  const bool is_before_christ = take_era(text);
  scanner s(text);
  return read_day(s, is_before_christ, out) && s.done() ? error() : malformed(f, "ISO date");
}

error parse_timestamp(const pg_field &f, pg_time_point &out) {
  auto text = f.bytes;
  if (text == "infinity" || text == "-infinity") {
    out = text[0] == '-' ? pg_time_point::min() : pg_time_point::max();
    return {};
  }
  const bool is_before_christ = take_era(text);
  scanner s(text);
  std::chrono::sys_days day;
  std::int64_t time = 0, offset = 0;
  if (!read_day(s, is_before_christ, day) || !s.skip(" ") || !read_time(s, time)) return malformed(f, "ISO timestamp");
  if (const char sign = s.peek(); sign == '+' || sign == '-') {  // +02, +05:30, -00:44:30
    s.skip(sign == '+' ? "+" : "-");
    std::int64_t part = 0;
    for (std::int64_t unit = 3600; unit >= 1; unit /= 60) {
      if (unit != 3600 && !s.skip(":")) break;
      if (!s.number(part) || part < 0 || part > 59) return malformed(f, "ISO timestamp");
      offset += part * unit;
    }
    if (sign == '-') offset = -offset;
  }
  if (!s.done()) return malformed(f, "ISO timestamp");
  std::int64_t count = 0;
  if (__builtin_mul_overflow(day.time_since_epoch().count(), std::int64_t{86400000000}, &count) ||
      __builtin_add_overflow(count, time - offset * 1000000, &count))
    return malformed(f, "timestamp within std::chrono's range");
  out = pg_time_point(std::chrono::microseconds(count));
  return {};
}

error parse_interval(const pg_field &f, pg_interval &out) {
  // "1 year 2 mons -3 days 04:05:06.789", each part may be missing.
  scanner s(f.bytes);
  pg_interval value;
  std::int64_t months = 0, days = 0;
  while (!s.done()) {
    s.skip(" ");
    scanner ahead = s;
    const bool is_negative = ahead.peek() == '-';
    if (is_negative || ahead.peek() == '+') ahead.skip(is_negative ? "-" : "+");
    std::int64_t time = 0;
    if (scanner clock = ahead; read_time(clock, time)) {
      value.microseconds = is_negative ? -time : time;
      s = clock;
      break;
    }
    std::int64_t n = 0;
    if (!s.number(n) || !s.skip(" ") || n > INT32_MAX || n < INT32_MIN) return malformed(f, "interval of style postgres");
    if (s.skip("years") || s.skip("year"))
      months += n * 12;
    else if (s.skip("mons") || s.skip("mon"))
      months += n;
    else if (s.skip("days") || s.skip("day"))
      days += n;
    else
      return malformed(f, "interval of style postgres");
  }
  if (!s.done() || f.bytes.empty() || months > INT32_MAX || months < INT32_MIN || days > INT32_MAX || days < INT32_MIN)
    return malformed(f, "interval of style postgres");
  value.months = static_cast<std::int32_t>(months);
  value.days = static_cast<std::int32_t>(days);
  out = value;
  return {};
}

}  // namespace corbel::detail
