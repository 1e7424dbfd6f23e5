// The event queue one would write in ten lines: a mutex, a deque, and an eventfd written for every event; the reader polls
// it, then empties the deque.
//
//     peer_mutex_deque_events --seconds 1.5

#include "../measure.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <poll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

int main(int argc, char **argv) {
  struct event {
    unsigned long ticket;
    char more[56];
  };
  constexpr unsigned long at_most_under_way = 256;
  std::mutex mutex;
  std::deque<event> queue;
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

  std::atomic<unsigned long> taken{0};
  std::atomic<bool> running{true};
  std::thread writer([&] {
    event ev{};
    while (running.load(std::memory_order_relaxed)) {
      while (running && ev.ticket - taken.load(std::memory_order_acquire) >= at_most_under_way) std::this_thread::yield();
      ++ev.ticket;
      {
        std::lock_guard lock(mutex);
        queue.push_back(ev);
      }
      const std::uint64_t one = 1;
      if (::write(fd, &one, sizeof one) != sizeof one) return;
    }
  });

  auto watch = stop_watch_begin(measure_number(argc, argv, "seconds", 1.5));
  unsigned long expected = 0, n = 0;
  std::deque<event> now;
  do {
    pollfd p{fd, POLLIN, 0};
    ::poll(&p, 1, -1);
    std::uint64_t count;
    if (::read(fd, &count, sizeof count) < 0) count = 0;
    now.clear();
    {
      std::lock_guard lock(mutex);
      now.swap(queue);
    }
    for (const auto &ev : now)
      if (ev.ticket != ++expected) return 1;
    n = now.size();
    taken.store(expected, std::memory_order_release);
  } while (stop_watch_goes_on(&watch, static_cast<double>(n)));
  running = false;
  writer.join();
  ::close(fd);
  return 0;
}
