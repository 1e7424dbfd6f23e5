#pragma once
/// A server that turned a connection away says so in the health table, as saturated, until it has room again. Threads: the
/// server's executor.

#include "http/server.hpp"

#include <corbel/runtime.hpp>

#include <memory>
#include <string>

namespace corbel {

/// The part appears when it is first saturated.
void report_saturation(http_server &server, const std::shared_ptr<detail::runtime_core> &runtime, const std::string &part);

}  // namespace corbel
