#include "queue/fleet_watch.hpp"

#include "queue/fleet/capacity.hpp"
#include "queue/fleet/names.hpp"
#include "redis/pool_core.hpp"
#include "scripts/fleet_read.hpp"

#include <charconv>
#include <chrono>

namespace corbel::detail {

namespace {

using clock = std::chrono::steady_clock;
constexpr std::chrono::seconds fresh{1}, stale{5};
constexpr std::chrono::milliseconds patience{2000};  // of one reading

const redis_script &read_script() {
  static const auto &script = *new redis_script(scripts::fleet_read, 1);  // never destroyed: I/O threads may outlive it
  return script;
}

/// Of whoever wanted to put: nothing was put, whatever became of the reading.
error unreadable(const error &why) {
  if (why.is(status::closed) || why.is(status::cancelled)) return why;
  return error(status::unavailable,
               "the capacity of the processes that work the queue cannot be read, so nothing was put: " + why.message(),
               "queue", why.native(), error::retriable);
}

std::string either(const std::string &a, const std::string &b) { return a.empty() ? b : a; }

}  // namespace

struct fleet_watch::state : std::enable_shared_from_this<state> {
  state(const redis_pool &p, const queue_options &o, queue_admission given)
      : pool(p),
        rules(std::make_shared<const queue_admission>(std::move(given))),
        names(either(rules->tenant, o.tenant), either(rules->project, o.project), rules->service) {}

  const redis_pool pool;
  const std::shared_ptr<const queue_admission> rules;
  const fleet_names names;
  std::optional<fleet_capacity> known;
  clock::time_point read_at{};
  bool reading = false;
  std::vector<answer> waiting;

  void read();
  void answered(const result<redis_reply> &r, clock::time_point since);
};

void fleet_watch::state::read() {
  reading = true;
  auto command = read_script().command(names.index, rules->heartbeat_timeout.count());
  async_run(pool, read_script(), std::move(command), {.timeout = patience, .idempotent = true},
            [self = shared_from_this(), since = clock::now()](const result<redis_reply> &r) { self->answered(r, since); });
}

void fleet_watch::state::answered(const result<redis_reply> &r, clock::time_point since) {
  reading = false;
  read_at = since;  // of a failed one too, so that not every question tries again
  if (r && !r->root().elements().empty()) {
    auto elements = r->root().elements();
    double now = 0;
    auto time = elements[0].text();
    std::from_chars(time.data(), time.data() + time.size(), now);
    std::vector<std::string_view> heartbeats;
    for (std::size_t i = 1; i < elements.size(); ++i) heartbeats.push_back(elements[i].text());
    known = capacity_of(heartbeats, names.type, names.name, *rules, now);
  }
  const auto value = known ? result<put_admission>({rules, *known}) : result<put_admission>(unreadable(r.error()));
  for (auto &tell : std::exchange(waiting, {})) tell(value);
}

fleet_watch::fleet_watch(const redis_pool &pool, const queue_options &options, queue_admission rules)
    : state_(std::make_shared<state>(pool, options, std::move(rules))) {}

fleet_watch::~fleet_watch() = default;

void fleet_watch::now(answer tell) {
  auto &s = *state_;
  if (const auto &given = s.rules->capacity)
    return tell(put_admission{s.rules, {.capacity = *given, .processes = *given > 0 ? 1u : 0u}});
  const auto age = clock::now() - s.read_at;
  const bool wait = !s.known || age > stale;
  if (wait) s.waiting.push_back(std::move(tell));
  if ((wait || age > fresh) && !s.reading) s.read();
  if (!wait) tell(put_admission{s.rules, *s.known});
}

}  // namespace corbel::detail
