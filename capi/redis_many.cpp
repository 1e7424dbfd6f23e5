// Many commands in one call, many replies in one call.
#include "capi/redis_request.hpp"
#include "redis/protocol/reply_block.hpp"

#include <limits>

using namespace corbel;
using namespace corbel::capi;

namespace {

/// Requests that nobody has yet, the newest first.
class request_list {
 public:
  request_list() = default;
  ~request_list() {
    while (newest_) delete std::exchange(newest_, newest_->next);
  }
  request_list(const request_list &) = delete;
  request_list &operator=(const request_list &) = delete;

  void add(std::unique_ptr<detail::redis_request> r) noexcept {
    r->next = newest_;
    newest_ = r.release();
  }
  detail::redis_request *release() noexcept { return std::exchange(newest_, nullptr); }

 private:
  detail::redis_request *newest_ = nullptr;
};

/// True when the event's reply was copied and freed. used: of the memory, grows.
bool read_answer(corbel_event &ev, corbel_answer &a, char *memory, size_t room, size_t &used) noexcept {
  if (ev.kind != CORBEL_EVENT_REPLY || ev.status != CORBEL_OK || !ev.object) return false;
  auto *block = static_cast<reply_block *>(ev.object);
  const auto &root = block->root;
  if (root.type() == redis_node::kind::array || root.type() == redis_node::kind::error) return false;
  if (root.has_bytes()) {
    const auto text = root.text();
    if (text.size() > room - used) return false;
    if (!text.empty()) std::memcpy(memory + used, text.data(), text.size());
    a.data = memory + used;
    a.value = static_cast<std::int64_t>(text.size());
    used += text.size();
  } else if (root.type() == redis_node::kind::integer) {
    a.value = root.integer();
  }
  a.kind = static_cast<std::int32_t>(root.type());
  ev.object = nullptr;
  block->release();
  return true;
}

}  // namespace

corbel_status corbel_redis_send_many(corbel_redis *r, const void *bytes, const size_t *sizes, const uint32_t *argc,
                                     size_t count, const corbel_call *c, corbel_ticket *first) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!r) return invalid("the pool is NULL");
    if (count != 0 && (!bytes || !sizes || !argc)) return invalid("bytes, sizes or argc is NULL");
    if (count > std::numeric_limits<std::uint32_t>::max()) return invalid(fmt::format("{} commands are too many", count));
    auto &core = r->core();
    if (auto why = core.refusal()) return why;
    completion like;
    call options;
    if (auto why = completion::read(c, 0, like, options)) return why;
    const auto ticket = like.has_queue() ? core.next_tickets(count) : 0;
    request_list all;
    const auto *at = static_cast<const char *>(bytes);
    for (size_t i = 0; i < count; ++i) {
      if (argc[i] == 0) return invalid(fmt::format("argc[{}] is 0: a command's first argument is its name", i));
      if (argc[i] > 1024 * 1024) return invalid(fmt::format("argc[{}] is {}: 1,048,576 are the most", i, argc[i]));
      redis_command command(std::string_view(at, sizes[0]));
      size_t size = 0;
      for (std::uint32_t k = 1; k < argc[i]; ++k) size += sizes[k];
      command.reserve(size, argc[i]);
      at += sizes[0];
      for (std::uint32_t k = 1; k < argc[i]; at += sizes[k++]) command.push(std::string_view(at, sizes[k]));
      sizes += argc[i];
      completion to = like;
      if (ticket != 0) to.identify(ticket + i, CORBEL_SOURCE_REDIS);
      all.add(std::make_unique<reply_request>(std::move(command), std::move(to)));
    }
    give_ticket(first, ticket);
    core.send_all(all.release(), options);
    return {};
  });
}

size_t corbel_replies_read(corbel_event *events, size_t count, size_t each, void *answers, size_t answer_each, void *memory,
                           size_t room) {
  if (!events || !answers || each < sizeof(corbel_event) || (room != 0 && !memory)) return 0;
  auto *event = reinterpret_cast<char *>(events);
  auto *slot = static_cast<char *>(answers);
  size_t used = 0;
  for (size_t i = 0; i < count; ++i, event += each, slot += answer_each) {
    auto &ev = *reinterpret_cast<corbel_event *>(event);
    corbel_answer a{};
    a.ticket = ev.ticket;
    a.user = ev.user;
    a.index = static_cast<std::uint32_t>(i);
    if (!read_answer(ev, a, static_cast<char *>(memory), room, used)) a.kind = CORBEL_ANSWER_NONE;
    std::memcpy(slot, &a, std::min(answer_each, sizeof a));
    if (answer_each > sizeof a) std::memset(slot + sizeof a, 0, answer_each - sizeof a);
  }
  return used;
}
