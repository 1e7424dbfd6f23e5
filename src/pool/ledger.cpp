#include "pool/ledger.hpp"

#include <fmt/format.h>

namespace corbel::detail {

std::string ledger::text() const {
  const auto &c = counts_;
  const std::string cap = is_bounded() ? fmt::format("{}", limits_.max_size) : "unbounded";
  return fmt::format("{} of {} connections: {} {}, {} {}, {} leased, {} idle; {} opening, {} waiting", c.total(), cap,
                     c.pipelines, limits_.keep_pipeline ? "pipeline" : "sharing", c.subscriptions,
                     limits_.keep_pipeline ? "subscription" : "listening", c.leased, c.idle, c.opening, c.waiting);
}

}  // namespace corbel::detail
