#include "queue/protocol.hpp"

namespace corbel::detail {

std::shared_ptr<const queue_protocol> make_protocol(const queue_options &options, const std::string &instance) {
  return options.layout == queue_layout::platform ? make_platform_protocol(options, instance)
                                                  : make_native_protocol(options);
}

promote_answer queue_protocol::read_promote(const redis_node &reply) const {
  return {static_cast<std::uint64_t>(reply[0].integer()), std::chrono::milliseconds(reply[1].integer())};
}

}  // namespace corbel::detail
