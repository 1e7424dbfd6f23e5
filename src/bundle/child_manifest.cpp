#include "bundle/child_manifest.hpp"

#include "config/yaml.hpp"
#include "json/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace corbel::detail {

namespace {

[[noreturn]] void refuse(const std::string &text) {
  throw failure(error(status::invalid, fmt::format("{}: {}", child_manifest::file, text), "bundle", "MANIFEST"));
}

template <class T>
T need(result<T> r) {
  if (!r) refuse(r.error().message());
  return std::move(*r);
}

void only(const json_object &o, std::initializer_list<std::string_view> known) {
  for (const auto &[name, value] : o.members())
    if (std::ranges::find(known, name) == known.end()) refuse(fmt::format("{} is not a known name here", value.path()));
}

std::uint64_t count(const json_object &o, std::string_view name, std::uint64_t otherwise, std::uint64_t most) {
  const auto value = o.find(name);
  if (!value) return otherwise;
  const auto n = need(value->integer());
  if (n < 1 || static_cast<std::uint64_t>(n) > most) refuse(fmt::format("{}: give 1 to {}", value->path(), most));
  return static_cast<std::uint64_t>(n);
}

std::chrono::milliseconds seconds(const json_object &o, std::string_view name, std::chrono::milliseconds otherwise) {
  const auto value = o.find(name);
  if (!value) return otherwise;
  const auto s = need(value->number());
  if (!(s >= 0.01 && s <= 86'400)) refuse(fmt::format("{}: give 0.01 to 86400 seconds", value->path()));
  return std::chrono::milliseconds(std::llround(s * 1000));
}

std::string plain(const json_value &v) {
  const auto text = need(v.text());
  if (text.empty() || text.find('\0') != text.npos) refuse(v.path() + ": give text without NUL");
  return std::string(text);
}

bool is_name(std::string_view s) { return !s.empty() && s.find('=') == s.npos && s.find('\0') == s.npos && s.size() <= 256; }

void read_environment(const json_object &o, child_manifest &m) {
  for (const auto &[name, value] : o.members()) {
    if (!is_name(name)) refuse(fmt::format("environment: '{}' cannot be a variable's name", name));
    if (value.is_null()) {
      m.environment.emplace_back(name, std::nullopt);
      continue;
    }
    const auto text = value.text();
    if (!text || text->find('\0') != text->npos) refuse(fmt::format("{}: give text, in quotes where needed", value.path()));
    m.environment.emplace_back(name, std::string(*text));
  }
}

child_manifest read(const json_object &top) {
  child_manifest m;
  only(top, {"command", "environment", "concurrency", "processes", "limits"});
  for (const auto &part : need(top.array("command"))) m.command.push_back(plain(part));
  if (m.command.empty()) refuse("command: give the program and its arguments");
  if (top.find("environment")) read_environment(need(top.object("environment")), m);
  m.concurrency = static_cast<unsigned>(count(top, "concurrency", m.concurrency, 1024));
  m.processes = static_cast<unsigned>(count(top, "processes", m.processes, 64));
  if (!top.find("limits")) return m;
  const auto limits = need(top.object("limits"));
  only(limits, {"start", "turn", "stop", "line", "output", "memory", "cpu", "files", "tasks"});
  m.start = seconds(limits, "start", m.start);
  m.turn = seconds(limits, "turn", m.turn);
  m.stop = seconds(limits, "stop", m.stop);
  m.most_line = count(limits, "line", m.most_line, 16 << 20);
  m.most_output = count(limits, "output", m.most_output, std::uint64_t{1} << 30);
  m.memory = count(limits, "memory", m.memory, std::uint64_t{1} << 50);
  m.cpu = count(limits, "cpu", m.cpu, 1'000'000'000);
  m.files = count(limits, "files", m.files, 1 << 20);
  m.tasks = count(limits, "tasks", m.tasks, 1 << 20);
  return m;
}

}  // namespace

result<child_manifest> child_manifest::parse(std::string_view yaml) {
  try {
    const auto json = need(yaml_to_json(yaml));
    const auto document = need(json_document::parse(json));
    return read(need(document.root().object()));
  } catch (const failure &f) {
    return f.error();
  }
}

std::string child_limits(const child_manifest &m) {
  auto out = fmt::format("files={}", m.files);
  for (const auto &[name, value] : {std::pair{"memory", m.memory}, {"cpu", m.cpu}, {"tasks", m.tasks}})
    if (value != 0) out += fmt::format(",{}={}", name, value);
  return out;
}

result<std::vector<std::string>> child_environment(const child_manifest &m, std::string_view id, std::string_view commit,
                                                   const std::vector<std::pair<std::string, std::string>> &host) {
  std::vector<std::pair<std::string, std::string>> all = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                                                          {"HOME", "/nonexistent"},
                                                          {"LANG", "C.UTF-8"},
                                                          {"PYTHONDONTWRITEBYTECODE", "1"},
                                                          {"PYTHONUNBUFFERED", "1"},
                                                          {"CORBEL_BUNDLE_ID", std::string(id)},
                                                          {"CORBEL_BUNDLE_COMMIT", std::string(commit)}};
  const auto of = [](auto &list, const std::string &name) {
    return std::ranges::find_if(list, [&name](const auto &v) { return v.first == name; });
  };
  for (const auto &[name, value] : m.environment) {
    auto text = value;
    if (const auto known = of(host, name); !text && known != host.end()) text = known->second;
    if (!text)
      return error(status::invalid,
                   fmt::format("{}: environment.{} has no value, and the host gives it none", child_manifest::file, name),
                   "bundle", "MANIFEST");
    if (const auto before = of(all, name); before != all.end())
      before->second = *text;
    else
      all.emplace_back(name, *text);
  }
  std::vector<std::string> out;
  for (const auto &[name, value] : all) out.push_back(name + "=" + value);
  return out;
}

}  // namespace corbel::detail
