#pragma once
/// How a bundle's handler is run, as `bundle.yaml` in the bundle's folder says. Pure; any thread.
///
///     command: [python3, main.py]       # required; found in PATH, or a path that begins with ./ or /
///     environment: {LANG: C.UTF-8, API_TOKEN: }   # all that it gets beside a few basic names; nothing: the host's value
///     concurrency: 4                    # requests that one process takes at once; 1
///     processes: 2                      # at most, started when the others are full; 1
///     limits:                           # times in seconds
///       start: 10                       # until it says that it is ready
///       turn: 600                       # for one request
///       stop: 10                        # to end when it is told to
///       line: 1048576                   # bytes of one line that it writes
///       output: 67108864                # bytes that it writes for one request
///       memory: 2147483648              # bytes of addresses that one process may have; no limit
///       cpu: 3600                       # seconds of processor time of one process in its whole life; no limit
///       files: 1024                     # that one process has open at once
///       tasks: 200                      # processes and threads of its user, all handlers together; no limit

#include <corbel/result.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel::detail {

struct child_manifest {
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::optional<std::string>>> environment = {};  ///< no value: the host's
  unsigned concurrency = 1, processes = 1;
  std::chrono::milliseconds start{10'000}, turn{600'000}, stop{10'000};
  std::uint64_t most_line = 1 << 20, most_output = 64 << 20;
  std::uint64_t memory = 0, cpu = 0, files = 1024, tasks = 0;  ///< 0: no limit

  static constexpr const char *file = "bundle.yaml";
  /// Errors are status::invalid, native "MANIFEST": "bundle.yaml: limits.start: ..."; an unknown key is one.
  static result<child_manifest> parse(std::string_view yaml);
};

/// The limits that corbel-run sets: "memory=1048576,files=1024".
std::string child_limits(const child_manifest &m);

/// All of the environment of a handler: the basic names (PATH, HOME, LANG, and that Python writes no bytecode into the
/// checkout), CORBEL_BUNDLE_ID and _COMMIT, then what the manifest names. host: a value of the host's that it may have, or
/// nothing. A name without a value there is an error.
result<std::vector<std::string>> child_environment(const child_manifest &m, std::string_view id, std::string_view commit,
                                                   const std::vector<std::pair<std::string, std::string>> &host);

}  // namespace corbel::detail
