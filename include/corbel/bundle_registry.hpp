#pragma once
/// The document that says which bundles there are: `bundles.yaml`, or the registry's JSON. Pure; any thread.
///
///     auto registry = corbel::read_bundle_registry(text);
///     for (auto &fault : registry.faults) warn(fault.path, fault.text);       // the other entries are good
///     for (auto &entry : registry.entries) if (!entry.repo.empty()) ...
///
/// Taken are all forms in which such documents are around: `bundles: {version, default_bundle_id, items: [...]}`, also
/// inside a larger document; `items: [...]` at the top; `{default_bundle_id, bundles: {<id>: {...}}}`; a flat map `{<id>:
/// {...}}`, whose first id is the default. YAML or JSON, up to 1 MiB. An entry is checked as a whole: one with a fault is
/// left out and reported, and the others stay.

#include <string>
#include <string_view>
#include <vector>

namespace corbel {

struct bundle_entry {
  std::string id;
  std::string name = {}, description = {};
  std::string repo = {}, ref = {}, subdir = {};  ///< code in git; ref: the declared git_commit where no ref is given
  std::string git_commit = {};                   ///< as declared
  std::string path = {};                         ///< code in a local folder; empty when repo is set
  std::string module = {};                       ///< the module to enter, "entrypoint" or "<folder>.entrypoint"
  std::string config = {};                       ///< JSON object of its settings, references unresolved; empty: none
  bool singleton = false;
  friend bool operator==(const bundle_entry &, const bundle_entry &) = default;
};

struct bundle_fault {
  std::string id;    ///< of the entry; empty when it has none
  std::string path;  ///< "bundles.items[2].repo"
  std::string text;
  friend bool operator==(const bundle_fault &, const bundle_fault &) = default;
};

struct bundle_registry {
  std::string version;     ///< of the document; mostly "1"
  std::string default_id;  ///< the id that counts where none is named; the first entry's when what the document says is none
  std::vector<bundle_entry> entries;
  std::vector<bundle_fault> faults;
};

bundle_registry read_bundle_registry(std::string_view text);

/// {"version", "default_id", "entries": [{...}], "faults": [{"id", "path", "text"}]}: the members as above, null where
/// empty.
std::string bundle_registry_json(const bundle_registry &registry);

}  // namespace corbel
