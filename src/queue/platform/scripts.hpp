#pragma once
/// Owns: the scripts of the platform layout, made once. Callers: the platform protocol. Thread: any.

#include <corbel/redis_script.hpp>

namespace corbel::detail {

struct platform_scripts {
  platform_scripts();
  redis_script put, claim, recall, ack, retry, bury, hand_back, renew, reap, promote, stats, dead, requeue, purge;
};

/// Never destroyed: I/O threads may still run them while the process exits.
const platform_scripts &scripts_of_platform();

}  // namespace corbel::detail
