#include "queue/protocol.hpp"

namespace corbel::detail {

std::shared_ptr<const queue_protocol> make_protocol(const queue_options &options, const std::string &instance) {
  return options.layout == queue_layout::platform ? make_platform_protocol(options, instance)
                                                  : make_native_protocol(options);
}

std::vector<int> queue_protocol::read_settle(const redis_node &reply, corbel::settle,
                                             const std::vector<settle_entry> &entries) const {
  std::vector<int> all;
  all.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) all.push_back(static_cast<int>(reply[i].integer()));
  return all;
}

std::vector<std::uint64_t> queue_protocol::read_renew(const redis_node &reply, const std::vector<claimed_ptr> &) const {
  std::vector<std::uint64_t> lost;
  for (const auto &token : reply.elements()) lost.push_back(static_cast<std::uint64_t>(token.integer()));
  return lost;
}

promote_answer queue_protocol::read_promote(const redis_node &reply) const {
  return {static_cast<std::uint64_t>(reply[0].integer()), std::chrono::milliseconds(reply[1].integer())};
}

}  // namespace corbel::detail
