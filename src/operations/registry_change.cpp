#include "operations/registry_change.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel {

namespace {

error invalid(std::string text) { return error(status::invalid, std::move(text), "bundle", "REGISTRY"); }

std::string bundles_json(const std::vector<bundle_entry> &entries) {
  std::string out;
  json_writer w(out);
  w.begin_object();
  for (const auto &e : entries) w.key(e.id).raw(registry_entry_json(e));
  w.end_object();
  return out;
}

using members = std::vector<std::pair<std::string_view, json_value>>;

/// A member that is null is there too.
const json_value *member_of(const members &all, std::string_view name) {
  const auto it = std::ranges::find(all, name, &members::value_type::first);
  return it == all.end() ? nullptr : &it->second;
}

void write_merged(json_writer &w, const json_value &below, const json_value &above) {
  const auto lower = below.object(), upper = above.object();
  if (!lower || !upper) {
    w.value(above);
    return;
  }
  const auto under = lower->members(), over = upper->members();
  w.begin_object();
  for (const auto &[name, value] : under) {
    w.key(name);
    if (const auto *other = member_of(over, name))
      write_merged(w, value, *other);
    else
      w.value(value);
  }
  for (const auto &[name, value] : over)
    if (!member_of(under, name)) w.key(name).value(value);
  w.end_object();
}

/// The entries of the body; faults become one error.
result<bundle_registry> read_patch(const json_object &body) {
  const auto bundles = body.object("bundles");
  if (!bundles) return invalid(bundles.error().message());
  std::string text;
  json_writer(text).begin_object().key("bundles").value(*body.find("bundles")).end_object();
  auto read = read_bundle_registry(text);
  if (!read.faults.empty()) return invalid(read.faults.front().path + ": " + read.faults.front().text);
  return read;
}

}  // namespace

std::string registry_entry_json(const bundle_entry &e) {
  std::string out;
  json_writer w(out);
  w.begin_object().member("id", e.id).key("name").text_or_null(e.name).member("path", e.path);
  w.key("module").text_or_null(e.module).member("singleton", e.singleton).key("description").text_or_null(e.description);
  w.key("repo").text_or_null(e.repo).key("ref").text_or_null(e.ref).key("subdir").text_or_null(e.subdir);
  w.key("git_commit").text_or_null(e.git_commit).end_object();
  return out;
}

std::string merge_json(const json_value &below, const json_value &above) {
  std::string out;
  json_writer w(out);
  write_merged(w, below, above);
  return out;
}

result<registry_change> change_registry(std::string_view now, const json_object &body) {
  const auto op = body.text("op", "merge");
  if (!op || (*op != "merge" && *op != "replace")) return invalid("op: give \"merge\" or \"replace\"");
  auto patch = read_patch(body);
  if (!patch) return patch.error();
  auto before = now.empty() ? bundle_registry{} : read_bundle_registry(now);
  const bool merges = *op == "merge";
  if (merges && !before.faults.empty())
    return invalid(fmt::format("what is there has a fault, which a merge would lose: {}: {}; replace it all, or mend that",
                               before.faults.front().path, before.faults.front().text));
  auto entries = merges ? std::move(before.entries) : std::vector<bundle_entry>();
  for (const auto &e : patch->entries) {
    const auto same = std::ranges::find(entries, e.id, &bundle_entry::id);
    if (same != entries.end())
      *same = e;
    else
      entries.push_back(e);
  }
  const auto known = [&](std::string_view id) { return std::ranges::find(entries, id, &bundle_entry::id) != entries.end(); };
  registry_change out;
  const auto wanted = body.text("default_bundle_id", "");
  if (!wanted) return invalid(wanted.error().message());
  out.default_id = known(*wanted)             ? std::string(*wanted)
                   : known(before.default_id) ? before.default_id
                   : entries.empty()          ? ""
                                              : entries.front().id;
  json_writer(out.registry)
      .begin_object()
      .member("default_bundle_id", out.default_id)
      .key("bundles")
      .raw(bundles_json(entries))
      .end_object();
  out.count = entries.size();
  out.bundles = bundles_json(patch->entries);
  for (const auto &e : patch->entries) {
    out.changed.push_back(e.id);
    if (!e.config.empty()) out.props.emplace_back(e.id, e.config);
  }
  return out;
}

}  // namespace corbel
