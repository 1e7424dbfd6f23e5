#pragma once
/// Owns: what a corbel_bundles holds, and how its asynchronous calls begin. Callers: bundle.cpp, bundle_follow.cpp.

#include "bundle/loader_core.hpp"
#include "capi/cancel_point.hpp"

#include <corbel/bundle.hpp>
#include <corbel/bundle_follow.hpp>

#include <mutex>
#include <optional>

struct corbel_bundles {
  corbel::bundles value;
  std::mutex mutex = {};
  std::optional<corbel::bundle_follower> followed = {};  ///< under mutex
  corbel::detail::loader_core &core() noexcept { return *value.core(); }
};

namespace corbel::capi {

/// Reads the call, and makes its ticket known.
template <class T>
error begin_bundle_call(corbel_bundles *l, bool owns_object, const corbel_call *c, corbel_ticket *t, call &options,
                        typename event_handler<T>::end_function end, std::optional<event_handler<T>> &out) {
  if (!l) return invalid("the loader is NULL");
  if (auto why = l->core().runtime().refusal()) return why;
  completion to;
  if (auto why = completion::read(c, 0, to, options)) return why;
  if (owns_object && !to.has_queue()) return invalid("corbel_call.to is NULL: a bundle needs a queue for its event");
  const auto ticket = l->core().next_ticket();
  to.identify(ticket, CORBEL_SOURCE_BUNDLE);
  give_ticket(t, to.has_queue() ? ticket : 0);
  out.emplace(std::move(to), end, cancel_point::make(l->core().runtime(), ticket, l->core().executor()));
  return {};
}

}  // namespace corbel::capi
