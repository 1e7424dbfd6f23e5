#include "bundle/path_check.hpp"
#include "config/yaml.hpp"
#include "git/location.hpp"
#include "git/revision.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"

#include <corbel/bundle_registry.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace corbel {

namespace {

/// One entry; what is wrong with it becomes faults.
class entry_reader {
 public:
  entry_reader(const json_object &from, std::string id, std::vector<bundle_fault> &faults)
      : from_(from), faults_(faults), before_(faults.size()) {
    e_.id = std::move(id);
  }

  bool read(bundle_entry &out) {
    for (auto name : {"git_url", "git_ref", "git_subdir", "git_repo"})
      if (from_.find(name)) fault(name, "is not taken: it is called repo, ref or subdir");
    e_.name = text("name");
    e_.description = text("description");
    e_.repo = text("repo");
    e_.ref = text("ref");
    e_.subdir = text("subdir");
    e_.git_commit = text("git_commit");
    e_.path = text("path");
    e_.module = text("module");
    if (auto single = from_.boolean("singleton", false); single)
      e_.singleton = *single;
    else
      fault("singleton", single.error().message());
    read_config();
    check();
    if (faults_.size() != before_) return false;
    out = std::move(e_);
    return true;
  }

 private:
  void fault(std::string_view key, std::string why) {
    auto path = from_.path();
    if (!key.empty()) path += (path.empty() ? "" : ".") + std::string(key);
    // The reader's texts begin with the path already.
    if (why.starts_with(path + ": ")) why.erase(0, path.size() + 2);
    faults_.push_back({e_.id, std::move(path), std::move(why)});
  }
  std::string text(std::string_view key) {
    auto t = from_.text(key, "");
    if (t) return std::string(*t);
    fault(key, t.error().message());
    return {};
  }
  /// props are an older name, and win.
  void read_config() {
    std::vector<std::pair<std::string_view, json_value>> members;
    bool is_there = false;
    for (auto key : {"config", "props"}) {
      auto value = from_.find(key);
      if (!value) continue;
      auto object = value->object();
      if (!object) {
        fault(key, object.error().message());
        continue;
      }
      is_there = true;
      for (auto &member : object->members()) {
        std::erase_if(members, [&](auto &m) { return m.first == member.first; });
        members.push_back(std::move(member));
      }
    }
    if (!is_there) return;
    json_writer w(e_.config);
    w.begin_object();
    for (auto &[key, value] : members) w.key(key).value(value);
    w.end_object();
  }
  void check() {
    if (auto why = detail::check_bundle_id(e_.id)) fault("id", why.message());
    if (e_.repo.empty()) {
      if (!e_.ref.empty()) fault("ref", "stands without repo");
      if (!e_.path.empty() && !e_.path.starts_with('/')) fault("path", "is not absolute");
      return;
    }
    e_.path.clear();
    if (auto where = detail::read_git_location(e_.repo); !where) fault("repo", where.error().message());
    if (e_.ref.empty()) e_.ref = e_.git_commit;
    if (auto why = detail::check_git_ref(e_.ref)) fault("ref", why.message());
    auto subdir = detail::clean_subdir(e_.subdir);
    if (subdir)
      e_.subdir = std::move(*subdir);
    else
      fault("subdir", subdir.error().message());
  }

  const json_object &from_;
  std::vector<bundle_fault> &faults_;
  const std::size_t before_;
  bundle_entry e_;
};

class registry_reader {
 public:
  bundle_registry take(const json_value &root) {
    auto top = root.object();
    if (!top) return fail(root, top.error().message());
    auto at = *top;
    if (auto inner = at.find("bundles")) {
      auto object = inner->object();
      if (!object) return fail(*inner, object.error().message());
      header(at);
      // Either the whole document under one key, or the map of entries.
      if (object->find("items"))
        at = *object;
      else
        return map(*object, false);
    }
    if (auto items = at.find("items")) return list(at, *items);
    return map(at, true);
  }

 private:
  bundle_registry fail(const json_value &where, std::string why) {
    out_.faults.push_back({"", where.path(), std::move(why)});
    return std::move(out_);
  }
  void header(const json_object &o) {
    for (auto &[key, into] : {std::pair{"version", &out_.version}, std::pair{"default_bundle_id", &out_.default_id}}) {
      auto value = o.find(key);
      if (!value) continue;
      if (auto text = value->text())
        *into = *text;
      else if (auto number = value->integer())
        *into = std::to_string(*number);
      else
        out_.faults.push_back({"", value->path(), text.error().message()});
    }
  }
  bundle_registry list(const json_object &at, const json_value &items) {
    header(at);
    auto all = items.array();
    if (!all) return fail(items, all.error().message());
    for (const auto &item : *all) {
      auto object = item.object();
      auto id = object ? object->text("id") : result<std::string_view>(object.error());
      if (id)
        add(*object, std::string(*id));
      else
        out_.faults.push_back({"", item.path(), id.error().message()});
    }
    return finish();
  }
  bundle_registry map(const json_object &at, bool is_flat) {
    for (auto &[id, value] : at.members()) {
      if (is_flat && (id == "default_bundle_id" || id == "version")) {
        header(at);
        continue;
      }
      auto object = value.object();
      if (!object) {
        out_.faults.push_back({std::string(id), value.path(), object.error().message()});
        continue;
      }
      auto own = object->text("id", id);
      if (own && *own == id)
        add(*object, std::string(id));
      else
        out_.faults.push_back({std::string(id), value.path() + ".id", own ? "differs from its key" : own.error().message()});
    }
    return finish();
  }
  void add(const json_object &from, std::string id) {
    if (!seen_.insert(id).second) return out_.faults.push_back({id, from.path() + ".id", "is there twice"});
    bundle_entry e;
    if (entry_reader(from, std::move(id), out_.faults).read(e)) out_.entries.push_back(std::move(e));
  }
  bundle_registry finish() {
    if (!out_.default_id.empty() && !seen_.contains(out_.default_id)) {
      out_.faults.push_back({"", "default_bundle_id", fmt::format("'{}' is none of the bundles", out_.default_id)});
      out_.default_id.clear();
    }
    if (out_.default_id.empty() && !out_.entries.empty()) out_.default_id = out_.entries.front().id;
    return std::move(out_);
  }

  bundle_registry out_;
  std::set<std::string> seen_;
};

}  // namespace

bundle_registry read_bundle_registry(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  std::string json(text);
  bundle_registry failed;
  if (begin == text.npos || text[begin] != '{') {
    auto converted = detail::yaml_to_json(text);
    if (!converted) {
      failed.faults.push_back({"", "", converted.error().message()});
      return failed;
    }
    json = std::move(*converted);
  }
  auto document = json_document::parse(json);
  if (document) return registry_reader().take(document->root());
  failed.faults.push_back({"", "", document.error().message()});
  return failed;
}

std::string bundle_registry_json(const bundle_registry &registry) {
  std::string out;
  json_writer w(out);
  w.begin_object().key("version").text_or_null(registry.version).key("default_id").text_or_null(registry.default_id);
  w.key("entries").begin_array();
  for (const auto &e : registry.entries) {
    w.begin_object().member("id", e.id);
    for (auto [key, value] : {std::pair{"name", &e.name},
                              {"description", &e.description},
                              {"repo", &e.repo},
                              {"ref", &e.ref},
                              {"subdir", &e.subdir},
                              {"git_commit", &e.git_commit},
                              {"path", &e.path},
                              {"module", &e.module}})
      w.key(key).text_or_null(*value);
    w.member("singleton", e.singleton).key("config");
    e.config.empty() ? w.value(nullptr) : w.raw(e.config);
    w.end_object();
  }
  w.end_array().key("faults").begin_array();
  for (const auto &f : registry.faults) {
    w.begin_object().key("id").text_or_null(f.id).member("path", f.path).member("text", f.text).end_object();
  }
  w.end_array().end_object();
  return out;
}

}  // namespace corbel
