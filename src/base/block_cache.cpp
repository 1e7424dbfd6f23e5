#include <corbel/detail/block_cache.hpp>

#include <atomic>
#include <cstdlib>
#include <new>
#include <utility>

namespace corbel::detail {

namespace {

void *from_system() {
  void *memory = std::malloc(block_cache::block_size);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

#ifdef CORBEL_SANITIZED  // the sanitizers are to see every block's own life

void *block_cache::allocate() { return from_system(); }
void block_cache::release(void *block) noexcept { std::free(block); }

#else

namespace {

constexpr unsigned pile_size = 64, most_shared_piles = 64;

struct block {
  block *next;
  block *next_pile;  // of a pile's top block, on the shared stack
};

/// Whole piles that a thread has and others may want. Taken all at once, so that no block is looked at that is not ours.
std::atomic<block *> shared{nullptr};
std::atomic<unsigned> shared_piles{0};

void free_pile(block *top) noexcept {
  while (top) std::free(std::exchange(top, top->next));
}

void share(block *pile) noexcept {
  if (shared_piles.fetch_add(1, std::memory_order_relaxed) >= most_shared_piles) {
    shared_piles.fetch_sub(1, std::memory_order_relaxed);
    return free_pile(pile);
  }
  pile->next_pile = shared.load(std::memory_order_relaxed);
  while (!shared.compare_exchange_weak(pile->next_pile, pile, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

/// One shared pile, or nullptr; the others go back.
block *take_shared() noexcept {
  if (!shared.load(std::memory_order_relaxed)) return nullptr;
  block *pile = shared.exchange(nullptr, std::memory_order_acquire);
  if (!pile) return nullptr;
  shared_piles.fetch_sub(1, std::memory_order_relaxed);
  if (block *rest = pile->next_pile) {
    block *last = rest;
    while (last->next_pile) last = last->next_pile;
    last->next_pile = shared.load(std::memory_order_relaxed);
    while (!shared.compare_exchange_weak(last->next_pile, rest, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }
  return pile;
}

/// Has no destructor and is in the room that the loader keeps for libraries that are loaded late: found without a call.
struct thread_piles {
  block *open, *full;
  unsigned open_size;
  bool watched, ended;
};
[[gnu::tls_model("initial-exec")]] constinit thread_local thread_piles piles{};

/// Frees a thread's piles when it ends.
struct end_of_thread {
  ~end_of_thread() {
    free_pile(std::exchange(piles.open, nullptr));
    free_pile(std::exchange(piles.full, nullptr));
    piles.watched = false;
    piles.ended = true;
  }
};

void watch_end() {
  thread_local end_of_thread watch;
  piles.watched = true;
}

[[gnu::noinline]] void *refill_and_allocate() {
  auto &mine = piles;
  if (mine.ended) return from_system();
  if (!mine.watched) watch_end();
  mine.open = mine.full ? std::exchange(mine.full, nullptr) : take_shared();
  if (!mine.open) return from_system();
  mine.open_size = pile_size - 1;
  return std::exchange(mine.open, mine.open->next);
}

/// False when the block cannot be kept.
[[gnu::noinline]] bool make_room() noexcept {
  auto &mine = piles;
  if (mine.ended) return false;
  if (!mine.watched) watch_end();
  if (mine.open_size == pile_size) {
    if (mine.full) share(mine.full);
    mine.full = std::exchange(mine.open, nullptr);
    mine.open_size = 0;
  }
  return true;
}

}  // namespace

void *block_cache::allocate() {
  auto &mine = piles;
  if (!mine.open) return refill_and_allocate();
  --mine.open_size;
  return std::exchange(mine.open, mine.open->next);
}

void block_cache::release(void *memory) noexcept {
  auto &mine = piles;
  if ((!mine.watched || mine.open_size == pile_size) && !make_room()) return std::free(memory);
  mine.open = new (memory) block{mine.open, nullptr};
  ++mine.open_size;
}

#endif

}  // namespace corbel::detail
