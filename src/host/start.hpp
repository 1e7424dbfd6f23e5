#pragma once
/// The main function of every host.

#include "host/options.hpp"

namespace corbel {

/// Reads the options, prints or checks where they say so, becomes the supervisor of --workers processes where there are
/// several, and runs serve in each. What it throws is told on standard error. Returns the exit status.
int start_host(const host_kind &kind, int argc, char **argv, int (*serve)(host_options));

}  // namespace corbel
