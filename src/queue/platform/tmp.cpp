#include "queue/protocol.hpp"
namespace corbel::detail {
std::shared_ptr<const queue_protocol> make_platform_protocol(const queue_options &, const std::string &) { return nullptr; }
}
