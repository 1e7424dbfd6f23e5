#include "queue/producer_core.hpp"

#include "queue/queue_scripts.hpp"
#include "queue/refusal.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

namespace corbel::detail {

namespace {

/// Lets a cancellation of op end the call that `start` begins; `read` makes op's result of the reply.
template <class T, class Start, class Read>
void run(const io_executor &executor, operation_ptr<T> op, Start start, Read read) {
  auto signal = op->cancellable() ? std::make_shared<boost::asio::cancellation_signal>() : nullptr;
  if (signal) {
    op->on_cancel([weak = std::weak_ptr(signal), executor] {
      boost::asio::post(executor, [weak] {
        if (auto s = weak.lock()) s->emit(boost::asio::cancellation_type::terminal);
      });
    });
  }
  auto slot = signal ? signal->slot() : boost::asio::cancellation_slot();
  start(boost::asio::bind_cancellation_slot(
      slot, [signal, op = std::move(op), read = std::move(read)](result<redis_reply> r) mutable {
        finish(std::move(op), r ? result<T>(read(r->root())) : result<T>(r.error()));
      }));
}

}  // namespace

producer_core::producer_core(const redis_pool &pool, const queue_options &options)
    : pool_((check_producer(options), pool)), keys_(options.name) {}

void producer_core::put(std::vector<put_item> items, call c, operation_ptr<put_receipt> op) {
  if (auto wrong = check_items(items)) return refuse(executor(), std::move(op), wrong);
  for (auto &item : items)
    if (item.id.empty()) item.id = make_message_id();
  auto to_run = put_call(keys_, items);
  std::vector<std::string> ids;
  ids.reserve(items.size());
  for (auto &item : items) ids.push_back(std::move(item.id));
  run<put_receipt>(
      executor(), std::move(op),
      [&](auto handler) { async_run(pool_, to_run.script, std::move(to_run.command), c, std::move(handler)); },
      [ids = std::move(ids)](const redis_node &depth) mutable {
        return put_receipt{std::move(ids), depth.integer()};
      });
}

void producer_core::depth(call c, operation_ptr<std::int64_t> op) {
  c.idempotent = true;
  run<std::int64_t>(
      executor(), std::move(op),
      [&](auto handler) { pool_.async_send(redis_command("LLEN", keys_.ready), c, std::move(handler)); },
      [](const redis_node &depth) { return depth.integer(); });
}

}  // namespace corbel::detail
