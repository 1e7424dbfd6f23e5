#include "queue/producer_core.hpp"

#include "queue/queue_scripts.hpp"
#include "queue/read_request.hpp"

namespace corbel::detail {

producer_core::producer_core(const redis_pool &pool, const queue_options &options) : pool_(pool), keys_(options.name) {
  check_producer(options);
}

void producer_core::put(std::vector<put_item> items, call c, operation_ptr<put_receipt> op, std::uint64_t ticket) const {
  auto why = pool_.core()->refusal();
  if (!why) why = check_items(items);
  if (why) return finish(std::move(op), result<put_receipt>(why));
  for (auto &item : items)
    if (item.id.empty()) item.id = make_message_id();
  auto [script, command] = put_call(keys_, items);
  std::vector<std::string> ids;
  ids.reserve(items.size());
  for (auto &item : items) ids.push_back(std::move(item.id));
  auto request = std::make_unique<read_request<put_receipt>>(std::move(command), &script, std::move(op),
                                                             [ids = std::move(ids)](const redis_node &depth) mutable {
                                                               return put_receipt{std::move(ids), depth.integer()};
                                                             });
  read_request<put_receipt>::send(pool_, std::move(request), c, ticket);
}

void producer_core::depth(call c, operation_ptr<std::int64_t> op, std::uint64_t ticket) const {
  if (auto why = pool_.core()->refusal()) return finish(std::move(op), result<std::int64_t>(why));
  c.idempotent = true;
  auto request = std::make_unique<read_request<std::int64_t>>(redis_command("LLEN", keys_.ready), nullptr, std::move(op),
                                                              [](const redis_node &depth) { return depth.integer(); });
  read_request<std::int64_t>::send(pool_, std::move(request), c, ticket);
}

}  // namespace corbel::detail
