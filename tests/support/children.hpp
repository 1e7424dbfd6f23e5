#pragma once
/// The programs that this process has started and that are still there. Thread: any.

#include <string_view>
#include <sys/types.h>
#include <vector>

namespace corbel::test {

/// name: of the program, up to 15 bytes. Those that have ended and wait to be reaped count.
std::vector<pid_t> children(std::string_view name);

}  // namespace corbel::test
