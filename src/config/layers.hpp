#pragma once
/// Component slices: a section holds one object for every component, or one for each of some of them. Which one counts for a
/// component, and what stands beside the slices and so is a default for all.

#include "config/findings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corbel::detail {

/// What may name a slice; `processor` and `worker` mean proc.
inline const std::vector<std::string_view> &slice_names =
    *new std::vector<std::string_view>{"ingress", "proc", "processor", "worker"};
bool is_slice_name(std::string_view key) noexcept;

/// A section of the document for one component: objects in which a key is looked for, the first one that has it counts.
struct layers {
  std::vector<json_object> objects;  ///< the slice, then what stands beside it
  bool sliced = false;

  /// Members of the objects; slices are left out. Of several with one name in an object the last one counts.
  std::vector<std::pair<std::string_view, json_value>> members() const;
  /// The member of the first object that has it, null included.
  std::optional<json_value> find(std::string_view key) const;
};

/// Which slice counts; nothing for a section that has none. A slice that nobody reads is warned of.
std::optional<json_value> slice_for(const json_object &section, std::string_view component, findings &found);
/// True when the section has slices.
bool has_slices(const json_object &section);

/// Reads a section that may be sliced. Not an object, or a slice that is none: a fault. null_is_absent: whether null will
/// do.
layers section_layers(const std::optional<json_value> &section, std::string_view component, bool may_slice,
                      bool null_is_absent, findings &found);

}  // namespace corbel::detail
