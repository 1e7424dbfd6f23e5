#pragma once
/// A queue from many threads to one, for objects with a `next` pointer. No lock. push says whether the receiver has to be
/// told; take hands over all that is there, oldest first.

#include <atomic>

namespace corbel::detail {

template <class T>
class inbox {
 public:
  /// True when the inbox was empty: the receiver is not on its way yet.
  bool push(T *item) noexcept { return push(item, item); }
  /// Many at once: a list linked by next, from the newest to the oldest.
  bool push(T *newest, T *oldest) noexcept {
    T *head = head_.load(std::memory_order_relaxed);
    do {
      oldest->next = head;
    } while (!head_.compare_exchange_weak(head, newest, std::memory_order_release, std::memory_order_relaxed));
    return head == nullptr;
  }
  /// A list linked by next; nullptr when empty.
  T *take() noexcept {
    T *head = head_.exchange(nullptr, std::memory_order_acquire);
    T *first = nullptr;
    while (head) {
      T *next = head->next;
      head->next = first;
      first = head;
      head = next;
    }
    return first;
  }
  bool empty() const noexcept { return head_.load(std::memory_order_relaxed) == nullptr; }

 private:
  std::atomic<T *> head_{nullptr};
};

}  // namespace corbel::detail
