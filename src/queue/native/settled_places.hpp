#pragma once
/// Owns: how the messages of one acknowledge are named to the server: by claim, and in it by runs of places, so that a claim
/// which is done whole costs two words. Pure. Callers: the native protocol, for the call and again for its reply. Thread:
/// any.

#include "queue/protocol.hpp"

namespace corbel::detail {

struct settled_places {
  std::string_view name;  ///< of the claim
  /// Place of each message, and which entry it is of; by place.
  std::vector<std::pair<std::uint32_t, std::size_t>> entries;

  /// "<first>-<last>" of each run, separated by ','.
  std::string text() const;
};

/// Of all entries, claims in the order of their first ones.
std::vector<settled_places> places_by_claim(const std::vector<settle_entry> &entries);

}  // namespace corbel::detail
