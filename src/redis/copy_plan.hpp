#pragma once
/// Owns: what to do about a document that has a copy in Redis and a channel that tells of changes. Pure: it is told what
/// happened and answers what to do. Callers: who follows such a document. Thread: its loop's.
///
/// The copy is read after the channel was subscribed, and after every reconnect. Writers set the copy first and publish
/// then, so an update that comes while the copy is being read is at least as new as what that reading will bring: the
/// reading's answer is dropped.

namespace corbel::detail {

class copy_plan {
 public:
  enum class action {
    nothing,
    read,         ///< the copy
    write,        ///< the copy, and publish it
    apply,        ///< what was read
    retry_later,  ///< call retry() after a pause
  };

  /// forced: the first thing to do is to write the copy.
  explicit copy_plan(bool forced) noexcept : must_write_(forced) {}

  /// The channel is subscribed, for the first time or again after a reconnect.
  action subscribed() noexcept {
    if (busy_) {
      again_ = true;
      return action::nothing;
    }
    waiting_ = false;
    return begin();
  }
  /// A message says that it changed, and not to what.
  action hinted() noexcept { return subscribed(); }
  /// An update came on the channel with the document itself; it is applied in any case.
  void updated() noexcept { overtaken_ = true; }
  /// The reading or writing ended. After `apply` ask next().
  action ended(bool ok) noexcept {
    busy_ = false;
    if (!ok) {
      again_ = false;
      waiting_ = true;
      return action::retry_later;
    }
    ready_ = true;
    if (writing_) {
      must_write_ = false;
      return next();
    }
    return overtaken_ ? next() : action::apply;
  }
  /// What else there is to do.
  action next() noexcept {
    if (!again_) return action::nothing;
    again_ = false;
    return begin();
  }
  /// The pause is over.
  action retry() noexcept {
    if (!waiting_) return action::nothing;
    waiting_ = false;
    return begin();
  }
  /// The copy was read or written once.
  bool is_ready() const noexcept { return ready_; }

 private:
  action begin() noexcept {
    busy_ = true;
    overtaken_ = false;
    writing_ = must_write_;
    return writing_ ? action::write : action::read;
  }

  bool must_write_;
  bool busy_ = false, writing_ = false, again_ = false, overtaken_ = false, waiting_ = false, ready_ = false;
};

}  // namespace corbel::detail
