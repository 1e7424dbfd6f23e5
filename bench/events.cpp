// Events through the completion queue, from one thread to another, no I/O: what a completion costs beside its call.
//
//     bench_events --seconds 1.5 --batch 32 --wait take|descriptor
//
// batch: how many completions an I/O thread hands over at once. take: the reader sleeps inside take; descriptor: it polls
// the queue's descriptor and then takes without waiting, as an event loop does.

#include "events/event_queue.hpp"
#include "measure.h"

#include <atomic>
#include <memory>
#include <poll.h>
#include <string>
#include <thread>

int main(int argc, char **argv) {
  const auto batch = static_cast<unsigned long>(measure_number(argc, argv, "batch", 32));
  const bool by_descriptor = std::string(measure_option(argc, argv, "wait", "take")) == "descriptor";
  constexpr unsigned long at_most_under_way = 256;
  auto queue = std::make_shared<corbel::detail::event_queue>([](corbel_event &) noexcept {});
  const int fd = by_descriptor ? queue->descriptor() : -1;

  std::atomic<unsigned long> taken{0};
  std::atomic<bool> running{true};
  std::thread writer([&] {
    corbel_event ev{};
    ev.kind = CORBEL_EVENT_DONE;
    while (running.load(std::memory_order_relaxed)) {
      while (running && ev.ticket + batch - taken.load(std::memory_order_acquire) > at_most_under_way)
        std::this_thread::yield();
      corbel::detail::batch_scope scope;
      for (unsigned long i = 0; i < batch; i++) {
        ++ev.ticket;
        corbel::detail::event_queue::complete(queue, ev);
      }
    }
  });

  corbel_event events[256];
  auto watch = stop_watch_begin(measure_number(argc, argv, "seconds", 1.5));
  unsigned long expected = 0;
  std::size_t n = 0;
  do {
    if (by_descriptor) {
      pollfd p{fd, POLLIN, 0};
      ::poll(&p, 1, -1);
    }
    n = queue->take(events, std::size(events), sizeof events[0], by_descriptor ? 0 : -1);
    for (std::size_t i = 0; i < n; i++)
      if (events[i].ticket != ++expected) return std::fputs("bench_events: an event was lost\n", stderr), 1;
    taken.store(expected, std::memory_order_release);
  } while (stop_watch_goes_on(&watch, static_cast<double>(n)));
  running = false;
  writer.join();
  return 0;
}
