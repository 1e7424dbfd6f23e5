#include "queue/platform/scripts.hpp"

#include "scripts/platform_ack.hpp"
#include "scripts/platform_bury.hpp"
#include "scripts/platform_claim.hpp"
#include "scripts/platform_dead.hpp"
#include "scripts/platform_hand_back.hpp"
#include "scripts/platform_promote.hpp"
#include "scripts/platform_purge.hpp"
#include "scripts/platform_put.hpp"
#include "scripts/platform_reap.hpp"
#include "scripts/platform_recall.hpp"
#include "scripts/platform_renew.hpp"
#include "scripts/platform_requeue.hpp"
#include "scripts/platform_retry.hpp"
#include "scripts/platform_stats.hpp"

namespace corbel::detail {

namespace {
constexpr unsigned key_count = 21;  // see shared.lua
}

platform_scripts::platform_scripts()
    : put(corbel::scripts::platform_put, key_count),
      claim(corbel::scripts::platform_claim, key_count),
      recall(corbel::scripts::platform_recall, key_count),
      ack(corbel::scripts::platform_ack, key_count),
      retry(corbel::scripts::platform_retry, key_count),
      bury(corbel::scripts::platform_bury, key_count),
      hand_back(corbel::scripts::platform_hand_back, key_count),
      renew(corbel::scripts::platform_renew, key_count),
      reap(corbel::scripts::platform_reap, key_count),
      promote(corbel::scripts::platform_promote, key_count),
      stats(corbel::scripts::platform_stats, key_count),
      dead(corbel::scripts::platform_dead, key_count),
      requeue(corbel::scripts::platform_requeue, key_count),
      purge(corbel::scripts::platform_purge, key_count) {}

const platform_scripts &scripts_of_platform() {
  static const auto &all = *new platform_scripts;
  return all;
}

}  // namespace corbel::detail
