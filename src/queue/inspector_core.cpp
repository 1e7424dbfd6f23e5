#include "queue/inspector_core.hpp"

#include "queue/limits.hpp"
#include "redis/pool_core.hpp"

#include <boost/asio/bind_executor.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

namespace {

constexpr std::size_t most_of_page = 1000, most_of_step = 1000;

std::uint64_t remaining(std::size_t all, std::size_t done) { return all > done ? all - done : 0; }

}  // namespace

/// A requeue or purge on its way through the dead list, a step after another.
struct inspector_core::changing {
  std::shared_ptr<question<std::size_t>> asked;
  bool requeue = false, all = false;
  std::vector<std::uint64_t> numbers;  // what is left of them
  std::size_t left = 0;                // all: at most so many more, so that what dies meanwhile does not keep it going
  std::size_t done = 0;
  call how;
  clock::time_point deadline;
};

std::shared_ptr<inspector_core> inspector_core::open(const redis_pool &pool, queue_options options) {
  check_queue(options);
  auto core = std::make_shared<inspector_core>(pool, std::move(options));
  core->number_ = pool.core()->runtime().enlist(core);
  core->ticket_base_ = runtime_core::ticket_base(core->number_);
  return core;
}

inspector_core::inspector_core(const redis_pool &pool, queue_options options)
    : options_(std::move(options)), pool_(pool), protocol_(make_protocol(options_, pool.core()->runtime().instance())) {}

inspector_core::~inspector_core() { pool_.core()->runtime().delist(number_); }

template <class F>
void inspector_core::on_loop(F f) {
  if (!inbox_.push(std::move(f))) return;
  boost::asio::post(pool_.executor(), [self = shared_from_this()] { self->inbox_.run(*self); });
}

/// Makes the question known to cancel(); nothing when it was refused, and has ended.
template <class T>
std::shared_ptr<inspector_core::question<T>> inspector_core::begin(operation_ptr<T> op, std::uint64_t ticket) {
  if (auto why = pool_.core()->refusal()) {
    finish(std::move(op), result<T>(why));
    return nullptr;
  }
  if (ticket == 0) ticket = next_ticket();
  if (op->cancellable()) {
    op->on_cancel([weak = weak_from_this(), ticket] {
      if (auto core = weak.lock()) core->on_loop([ticket](inspector_core &self) { self.cancel(ticket); });
    });
  }
  auto q = std::make_shared<question<T>>(question<T>{std::move(op), ticket});
  on_loop([q](inspector_core &self) {
    if (q->op) self.under_way_.emplace(q->ticket, [&self, q](const error &why) { self.end(*q, result<T>(why)); });
  });
  return q;
}

template <class T>
void inspector_core::end(question<T> &q, result<T> r) {
  auto op = std::move(q.op);
  under_way_.erase(q.ticket);
  if (op) finish(std::move(op), std::move(r));
  if (under_way_.empty() && idle_) std::exchange(idle_, nullptr)();
}

template <class T, class Read>
void inspector_core::ask(script_call s, call c, std::shared_ptr<question<T>> q, Read read) {
  async_run(pool_, s.script, std::move(s.command), c,
            boost::asio::bind_executor(pool_.executor(), [self = shared_from_this(), q, read](const result<redis_reply> &r) {
              auto keep = q;
              if (q->op) self->end(*keep, r ? result<T>(read(r->root())) : result<T>(r.error()));
            }));
}

void inspector_core::stats(call c, operation_ptr<queue_stats> op, std::uint64_t ticket) {
  auto q = begin(std::move(op), ticket);
  if (!q) return;
  c.idempotent = true;
  ask(protocol_->stats(), c, std::move(q), [p = protocol_](const redis_node &n) { return p->read_stats(n); });
}

void inspector_core::dead(std::optional<std::uint64_t> after, std::size_t count, call c, operation_ptr<dead_page> op,
                          std::uint64_t ticket) {
  if (count < 1 || count > most_of_page) {
    auto why = fmt::format("a page of {} dead messages: give 1 to {}", count, most_of_page);
    return finish(std::move(op), result<dead_page>(error(status::invalid, std::move(why), "queue", "OPTION")));
  }
  auto q = begin(std::move(op), ticket);
  if (!q) return;
  c.idempotent = true;
  ask(protocol_->dead(after, count), c, std::move(q), [p = protocol_](const redis_node &n) { return p->read_dead(n); });
}

void inspector_core::change(bool requeue, std::vector<std::uint64_t> numbers, call c, operation_ptr<std::size_t> op,
                            std::uint64_t ticket) {
  auto q = begin(std::move(op), ticket);
  if (!q) return;
  const auto timeout = c.timeout == c.timeout.zero() ? pool_.core()->settings().options.call_timeout : c.timeout;
  auto work = std::make_shared<changing>();
  work->asked = q;
  work->requeue = requeue;
  work->all = numbers.empty();
  work->numbers = std::move(numbers);
  work->how = c;
  work->deadline = timeout < timeout.zero() ? clock::time_point::max() : clock::now() + timeout;
  if (!work->all) return on_loop([work](inspector_core &self) { self.change_some(work); });
  auto [script, command] = protocol_->stats();
  c.idempotent = true;
  async_run(pool_, script, std::move(command), c,
            boost::asio::bind_executor(pool_.executor(), [self = shared_from_this(), work](const result<redis_reply> &r) {
              if (!work->asked->op) return;
              if (!r) return self->end(*work->asked, result<std::size_t>(r.error()));
              work->left = static_cast<std::size_t>(std::max<std::int64_t>(self->protocol_->read_stats(r->root()).dead, 0));
              if (work->left == 0) return self->end(*work->asked, result<std::size_t>(std::size_t{0}));
              self->change_some(work);
            }));
}

void inspector_core::change_some(const std::shared_ptr<changing> &work) {
  if (!work->asked->op) return;  // cancelled
  std::vector<std::uint64_t> step;
  if (!work->all) {
    const auto from = work->numbers.end() - static_cast<std::ptrdiff_t>(std::min(work->numbers.size(), most_of_step));
    step.assign(from, work->numbers.end());
    work->numbers.erase(from, work->numbers.end());
  }
  auto c = work->how;
  c.timeout = call::unlimited;
  if (work->deadline != clock::time_point::max())
    c.timeout =
        std::max(std::chrono::ceil<std::chrono::milliseconds>(work->deadline - clock::now()), std::chrono::milliseconds(1));
  auto [script, command] = work->requeue ? protocol_->requeue(step) : protocol_->purge(step);
  async_run(
      pool_, script, std::move(command), c,
      boost::asio::bind_executor(pool_.executor(), [self = shared_from_this(), work](const result<redis_reply> &r) {
        if (!work->asked->op) return;
        if (!r) {
          const auto &e = r.error();
          return self->end(*work->asked, result<std::size_t>(error(e.code(), e.message(), e.source(), e.native(), e.flags(),
                                                                   {{"done", std::to_string(work->done)}})));
        }
        const auto changed = static_cast<std::size_t>(r->root()[0].integer());
        work->done += changed;
        work->left = remaining(work->left, changed);
        const bool more = work->all ? r->root()[1].integer() != 0 && changed > 0 && work->left > 0 : !work->numbers.empty();
        if (!more) return self->end(*work->asked, result<std::size_t>(work->done));
        self->change_some(work);
      }));
}

// ---- component ----

loop &inspector_core::home() noexcept { return pool_.core()->home(); }

std::string inspector_core::left() const {
  return under_way_.empty() ? "" : fmt::format("queue '{}' ({} questions)", options_.name, under_way_.size());
}

void inspector_core::drain(std::function<void()> idle) {
  if (under_way_.empty()) return idle();
  idle_ = std::move(idle);
}

void inspector_core::abort() {
  auto keep = shared_from_this();
  const error why(status::closed, "the inspector's pool was closed or its runtime was shut down", "queue");
  while (!under_way_.empty()) std::function(under_way_.begin()->second)(why);
}

void inspector_core::cancel(std::uint64_t ticket) {
  auto keep = shared_from_this();
  auto it = under_way_.find(ticket);
  if (it != under_way_.end()) std::function(it->second)(error(status::cancelled, "the question was cancelled", "queue"));
}

}  // namespace corbel::detail
