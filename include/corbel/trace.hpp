#pragma once
/// W3C trace context: which request of somebody else's trace a piece of work belongs to. Pure; any thread.
///
///     auto trace = corbel::trace_context::follow(request.field("traceparent"));   // a span of the caller's trace, or a new
///     one log.fields = {{"trace_id", trace.trace_id()}, {"span_id", trace.span_id()}}; put.body = ... "traceparent":
///     trace.text() ...                              // for whoever works on it next

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace corbel {

class trace_context {
 public:
  /// "00-<32 hex>-<16 hex>-<2 hex>" in small letters, ids not all 0; later versions as far as they go on like that.
  static std::optional<trace_context> parse(std::string_view traceparent);
  /// A span of its own in the trace of the caller; a new, sampled trace where that is no valid traceparent.
  static trace_context follow(std::string_view traceparent);

  std::string trace_id() const { return text_.substr(3, 32); }
  std::string span_id() const { return text_.substr(36, 16); }
  bool sampled() const;
  /// What is sent on.
  const std::string &text() const noexcept { return text_; }

 private:
  explicit trace_context(std::string text) : text_(std::move(text)) {}
  std::string text_;  // version 00
};

}  // namespace corbel
