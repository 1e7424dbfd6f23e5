#include "queue/settle_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;

namespace {

const char *verb(settle how) {
  switch (how) {
    case settle::done:
      return "as done";
    case settle::retry:
      return "for a retry";
    case settle::bury:
      return "as dead";
    case settle::hand_back:
      return "by handing it back";
  }
  return "in an unknown way";
}

/// Failures that another try may outlive.
bool passing(const error &e) {
  if ((e.flags() & error::fatal) != 0) return false;
  return e.is(status::lost) || e.is(status::timeout) || e.is(status::unavailable) || e.is(status::busy) || e.may_retry();
}

}  // namespace

settle_plan::decision settle_plan::answered(std::int64_t reply) {
  ++tries_;
  if (reply == 1) return {result<bool>(true)};
  return {result<bool>(uncertain_ && reply == -1)};  // nobody knows it: an earlier try of ours was applied
}

settle_plan::decision settle_plan::failed(const error &why, clock::time_point now) {
  ++tries_;
  uncertain_ = uncertain_ || why.may_be_applied();
  if (passing(why) && now < deadline_) {
    auto pause = tries_ == 1 && why.is(status::lost) ? 0ms : std::min(1000ms, 20ms * (1 << std::min(tries_, 6u)));
    return {std::nullopt, std::min(pause, std::chrono::ceil<std::chrono::milliseconds>(deadline_ - now))};
  }
  if (tries_ == 1) return {result<bool>(why)};
  auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_).count();
  return {result<bool>(error(
      passing(why) ? status::timeout : why.code(),
      fmt::format("message '{}' could not be settled {}: {} tries in {} ms, {}; the last one: {}", id_, verb(how_), tries_,
                  spent, uncertain_ ? "of which one may have been applied" : "none of which was applied", why.message()),
      "queue", why.native(), why.flags() | (uncertain_ ? error::maybe_applied : 0u)))};
}

std::chrono::milliseconds settle_plan::left(clock::time_point now) const {
  if (deadline_ == clock::time_point::max()) return call::unlimited;
  return std::max(std::chrono::ceil<std::chrono::milliseconds>(deadline_ - now), 1ms);
}

}  // namespace corbel::detail
