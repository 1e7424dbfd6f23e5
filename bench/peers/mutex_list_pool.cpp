// The pool one would write in ten lines: a mutex and a list of pointers. Takes one and gives it back, no deadline, no cap,
// no counters.
//
//     peer_mutex_list_pool --seconds 1.5

#include "../measure.h"

#include <list>
#include <mutex>

namespace {

struct connection {
  int descriptor = -1;
};

class mutex_list_pool {
 public:
  void give_back(connection *c) {
    std::lock_guard lock(mutex_);
    idle_.push_back(c);
  }
  connection *take() {
    std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    connection *c = idle_.front();
    idle_.pop_front();
    return c;
  }

 private:
  std::mutex mutex_;
  std::list<connection *> idle_;
};

}  // namespace

int main(int argc, char **argv) {
  const double seconds = measure_number(argc, argv, "seconds", 1.5);
  mutex_list_pool pool;
  connection one, two;
  pool.give_back(&one);
  pool.give_back(&two);
  auto watch = stop_watch_begin(seconds);
  do {
    for (int i = 0; i < 1000; i++) {
      connection *c = pool.take();
      if (!c) return 1;
      pool.give_back(c);
    }
  } while (stop_watch_goes_on(&watch, 1000));
  return 0;
}
