#include "base/utc_time.hpp"

#include <fmt/format.h>

namespace corbel::detail {

std::string utc_text(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  auto ms = floor<milliseconds>(time);
  auto day = floor<days>(ms);
  year_month_day date(day);
  hh_mm_ss clock(ms - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string utc_text_us(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  auto us = floor<microseconds>(time);
  auto text = utc_text(time);
  text.resize(text.size() - 1);
  return fmt::format("{}{:03}Z", text, (us - floor<milliseconds>(us)).count());
}

}  // namespace corbel::detail
