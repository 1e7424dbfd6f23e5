#pragma once
/// Owns: who is told on a pool's own loop when its connection is there again and when the pool ends; monitors tell other
/// threads. Callers: what works through a pool (queues). Thread: the pool's loop.

#include <corbel/error.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace corbel::detail {

class redis_followers {
 public:
  struct follower {
    std::function<void()> up;                   ///< connected, the first time or again
    std::function<void()> closing;              ///< nothing new is taken: give leases back
    std::function<void(const error &)> closed;  ///< the last thing that is told
  };

  std::uint64_t add(follower f) {
    all_.emplace(++last_, std::move(f));
    return last_;
  }
  void remove(std::uint64_t id) { all_.erase(id); }

  void tell_up() {
    for (auto id : ids())
      if (auto *f = find(id); f && f->up) f->up();
  }
  void tell_closing() {
    for (auto id : ids())
      if (auto *f = find(id); f && f->closing) f->closing();
  }
  void tell_closed(const error &why) {
    for (auto id : ids()) {
      auto it = all_.find(id);
      if (it == all_.end()) continue;
      auto f = std::move(it->second);
      all_.erase(it);
      if (f.closed) f.closed(why);
    }
  }

 private:
  // Who is told may add and remove.
  std::vector<std::uint64_t> ids() const {
    std::vector<std::uint64_t> v;
    for (auto &[id, f] : all_) v.push_back(id);
    return v;
  }
  const follower *find(std::uint64_t id) const {
    auto it = all_.find(id);
    return it == all_.end() ? nullptr : &it->second;
  }
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, follower> all_;
};

}  // namespace corbel::detail
