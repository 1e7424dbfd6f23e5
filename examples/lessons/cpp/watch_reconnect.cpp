// Lesson: learn of a lost server and of its return without asking. Kill the server and start it again while this runs; it
// ends after the first recovery.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_watch_reconnect
#include <corbel/redis_monitor.hpp>

#include <cstdio>
#include <cstdlib>
#include <future>

using namespace std::chrono_literals;

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::puts("lesson: watch_reconnect");
  const char *url = std::getenv("REDIS_URL");
  corbel::runtime rt({.name = "watch_reconnect"});
  corbel::redis_pool redis(rt, {.url = url ? url : "redis://localhost:6379"});
  // A PING after 1 s of silence finds servers that are stopped rather than gone; a closed socket is seen at once.
  corbel::redis_monitor monitor(redis, {.ping = 1s, .overdue = 1s});

  std::promise<void> recovered;
  auto listener = [&, was_up = false, was_lost = false, done = false](const corbel::redis_state_change &c) mutable {
    // On the listener thread, one call at a time, coalesced: a slow listener hears the latest state, not every one.
    std::printf("%s, epoch %d%s%s\n", corbel::redis_state_name(c.state), static_cast<int>(c.epoch), c.why ? ": " : "",
                c.why.message().c_str());
    bool up = c.state == corbel::redis_state::up || c.state == corbel::redis_state::resubscribed;
    if (up && was_lost && !done) {
      done = true;
      recovered.set_value();
    }
    was_lost |= was_up && !up;
    was_up |= up;
  };
  auto id = monitor.listen(listener);
  recovered.get_future().wait();
  monitor.unlisten(id);
  std::puts("recovered");  // the place to read again what may have been missed
}
