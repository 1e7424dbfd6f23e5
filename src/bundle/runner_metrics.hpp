#pragma once
/// How the handlers of bundles show in the runtime's metrics. Pure.

#include "metrics/writer.hpp"

#include <corbel/bundle_runner.hpp>

namespace corbel::detail {

void write_runner_metrics(metrics_writer &w, const std::string &runner, const std::vector<bundle_runner_status> &all);

}  // namespace corbel::detail
