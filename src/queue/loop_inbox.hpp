#pragma once
/// What other threads ask of an object that lives on a loop: any number of requests cost one wake-up, and what they send
/// leaves in one write. Thread: push any; run on the loop.

#include "base/batch.hpp"
#include "base/inbox.hpp"

#include <memory>
#include <utility>

namespace corbel::detail {

template <class Owner>
class loop_inbox {
 public:
  loop_inbox() = default;
  ~loop_inbox() {
    for (auto *t = inbox_.take(); t;) delete std::exchange(t, t->next);
  }
  loop_inbox(const loop_inbox &) = delete;
  loop_inbox &operator=(const loop_inbox &) = delete;

  /// True when the owner has to have run() called on its loop.
  template <class F>
  bool push(F f) {
    return inbox_.push(new task_of<F>(std::move(f)));
  }
  void run(Owner &owner) {
    batch_scope batch;
    for (auto *t = inbox_.take(); t;) {
      std::unique_ptr<task> now(std::exchange(t, t->next));
      now->run(owner);
    }
  }

 private:
  struct task {
    virtual ~task() = default;
    virtual void run(Owner &owner) = 0;
    task *next = nullptr;
  };
  template <class F>
  struct task_of final : task {
    explicit task_of(F f) : function(std::move(f)) {}
    void run(Owner &owner) override { function(owner); }
    F function;
  };
  inbox<task> inbox_;
};

}  // namespace corbel::detail
