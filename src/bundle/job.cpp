#include "bundle/job.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

#include <array>

namespace corbel::detail {

namespace {

constexpr std::array<std::string_view, 3> job_names{"load", "forget", "prune"};
constexpr std::array<std::string_view, 6> message_names{"kept", "progress", "done", "failed", "removed", "idle"};

template <std::size_t N>
std::size_t index_of(const std::array<std::string_view, N> &names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == name) return i;
  throw failure(error(status::protocol, "a line of corbel-git has an unknown kind", "git", "LINE"));
}

std::string text(const json_object &o, std::string_view key) { return std::string(o.text(key, "").value()); }
bool flag(const json_object &o, std::string_view key) { return o.boolean(key, false).value(); }
std::uint64_t count(const json_object &o, std::string_view key) {
  auto value = o.find(key);
  return value ? static_cast<std::uint64_t>(value->integer().value()) : 0;
}

void write_error(json_writer &w, const error &e) {
  w.begin_object()
      .member("status", static_cast<std::int64_t>(e.code()))
      .member("flags", e.flags())
      .member("text", e.message());
  w.member("source", e.source()).member("native", e.native()).end_object();
}

error read_error(const json_object &o) {
  return error(static_cast<status>(o.integer("status").value()), text(o, "text"), text(o, "source"), text(o, "native"),
               static_cast<std::uint32_t>(count(o, "flags")));
}

/// Runs a reader over the line's object; what it misses is an error of status::protocol.
template <class T, class Read>
result<T> read_line(std::string_view line, Read read) {
  // The registry of a root with many bundles makes long lines.
  auto document = json_document::parse(line, {.bytes = std::size_t{16} << 20});
  if (!document) return error(status::protocol, "a line of corbel-git: " + document.error().message(), "git", "LINE");
  try {
    T out;
    read(document->root().object().value(), out);
    return out;
  } catch (const failure &f) {
    return error(status::protocol, "a line of corbel-git: " + f.error().message(), "git", "LINE");
  }
}

}  // namespace

std::string write_job(const job_request &r) {
  std::string out;
  json_writer w(out);
  w.begin_object().member("kind", job_names[static_cast<std::size_t>(r.kind)]).member("root", r.root);
  w.member("url", r.url)
      .member("ref", r.ref)
      .member("held", r.held)
      .member("submodules", r.submodules)
      .member("managed", r.managed);
  w.key("access").begin_object().member("user", r.access.user).member("secret", r.access.secret);
  w.member("ssh_key", r.access.ssh_key).member("known_hosts", r.access.known_hosts).member("ca_file", r.access.ca_file);
  w.end_object().key("bundles").begin_array();
  for (const auto &b : r.bundles)
    w.begin_object().member("id", b.id).member("subdir", b.subdir).member("adopt", b.adopt).end_object();
  w.end_array().member("most_bytes", r.most_bytes).member("most_files", r.most_files).member("most_path", r.most_path);
  w.key("retention").begin_object().member("keep", r.retention.keep).member("age", r.retention.age.count());
  w.member("bytes", r.retention.bytes).member("grace", r.retention.grace.count()).end_object().end_object();
  return out;
}

result<job_request> read_job_request(std::string_view line) {
  return read_line<job_request>(line, [](const json_object &o, job_request &r) {
    r.kind = static_cast<job_kind>(index_of(job_names, text(o, "kind")));
    r.root = text(o, "root");
    r.url = text(o, "url");
    r.ref = text(o, "ref");
    r.held = text(o, "held");
    r.managed = text(o, "managed");
    r.submodules = flag(o, "submodules");
    const auto a = o.object("access").value();
    r.access = {text(a, "user"), text(a, "secret"), text(a, "ssh_key"), text(a, "known_hosts"), text(a, "ca_file")};
    const auto bundles = o.array("bundles").value();
    for (const auto &value : bundles) {
      const auto b = value.object().value();
      r.bundles.push_back({text(b, "id"), text(b, "subdir"), flag(b, "adopt")});
    }
    r.most_bytes = count(o, "most_bytes");
    r.most_files = count(o, "most_files");
    r.most_path = count(o, "most_path");
    const auto kept = o.object("retention").value();
    r.retention.keep = static_cast<std::uint32_t>(count(kept, "keep"));
    r.retention.age = std::chrono::seconds(count(kept, "age"));
    r.retention.bytes = count(kept, "bytes");
    r.retention.grace = std::chrono::seconds(count(kept, "grace"));
  });
}

std::string write_job(const job_message &m) {
  std::string out;
  json_writer w(out);
  w.begin_object().member("kind", message_names[static_cast<std::size_t>(m.what)]);
  for (auto [key, value] :
       {std::pair{"id", &m.id}, {"commit", &m.commit}, {"folder", &m.folder}, {"subdir", &m.subdir}, {"stage", &m.stage}})
    if (!value->empty()) w.member(key, *value);
  for (auto [key, value] : {std::pair{"objects", m.objects},
                            {"of_objects", m.of_objects},
                            {"bytes", m.bytes},
                            {"files", m.files},
                            {"linked", m.linked},
                            {"repaired", m.repaired}})
    if (value != 0) w.member(key, value);
  if (m.fetched) w.member("fetched", true);
  if (m.built) w.member("built", true);
  if (!m.bundles.empty()) {
    w.key("bundles").begin_array();
    for (const auto &b : m.bundles) {
      w.begin_object().member("id", b.id).member("switched", b.switched);
      if (b.why) write_error(w.key("error"), b.why);
      w.end_object();
    }
    w.end_array();
  }
  if (m.why) write_error(w.key("error"), m.why);
  if (!m.removed.empty()) {
    w.key("removed").begin_array();
    for (const auto &name : m.removed) w.value(name);
    w.end_array();
  }
  w.end_object();
  return out;
}

result<job_message> read_job_message(std::string_view line) {
  return read_line<job_message>(line, [](const json_object &o, job_message &m) {
    m.what = static_cast<job_message::kind>(index_of(message_names, text(o, "kind")));
    for (auto [key, into] :
         {std::pair{"id", &m.id}, {"commit", &m.commit}, {"folder", &m.folder}, {"subdir", &m.subdir}, {"stage", &m.stage}})
      *into = text(o, key);
    for (auto [key, into] : {std::pair{"objects", &m.objects},
                             {"of_objects", &m.of_objects},
                             {"bytes", &m.bytes},
                             {"files", &m.files},
                             {"linked", &m.linked},
                             {"repaired", &m.repaired}})
      *into = count(o, key);
    m.fetched = flag(o, "fetched");
    m.built = flag(o, "built");
    if (auto bundles = o.find("bundles")) {
      const auto all = bundles->array().value();
      for (const auto &value : all) {
        const auto b = value.object().value();
        auto why = b.find("error");
        m.bundles.push_back({text(b, "id"), flag(b, "switched"), why ? read_error(why->object().value()) : error()});
      }
    }
    if (auto why = o.find("error")) m.why = read_error(why->object().value());
    if (auto removed = o.find("removed")) {
      const auto all = removed->array().value();
      for (const auto &name : all) m.removed.emplace_back(name.text().value());
    }
  });
}

}  // namespace corbel::detail
