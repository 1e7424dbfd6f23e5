// Defaults that are no single member's.
#include "config/schema.hpp"

namespace corbel::detail {

std::map<std::string, rate_limit, std::less<>> default_rate_limits() {
  return {
      {"anonymous", {120, 10, 60}}, {"registered", {600, 30, 60}}, {"paid", {2000, 60, 60}}, {"privileged", {-1, 200, 60}}};
}

std::map<std::string, publish_limit, std::less<>> default_publish_limits() {
  return {{"anonymous", {true, 60, 600, 2097152, 50, 262144, 60}},
          {"registered", {}},
          {"paid", {true, 1200, 12000, 33554432, 500, 2097152, 60}},
          {"privileged", {true, -1, -1, -1, 1000, 4194304, 60}}};
}

const std::vector<std::string> &default_guarded_patterns() {
  static const auto &patterns = *[] {  // never destroyed: I/O threads may still read documents while the process exits
    const std::string one = "/[^/]+", read = "^/resources/", talk = "^/conversations", bundle = "^/integrations/bundles";
    return new std::vector<std::string>{
        read + "link-preview$",
        read + "by-rn$",
        talk + one + one + one + "/fetch$",
        talk + one + one + "/turns-with-feedbacks$",
        talk + one + one + "/feedback/conversations-in-period$",
        bundle + one + one + "/operations" + one + "$",
        bundle + one + one + one + "/operations" + one + "$",
    };
  }();
  return patterns;
}

}  // namespace corbel::detail
