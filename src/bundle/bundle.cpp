#include "bundle/loader_core.hpp"
#include "json/writer.hpp"

#include <corbel/bundle.hpp>

namespace corbel {

const char *bundle_state_name(bundle_state s) noexcept {
  static constexpr const char *names[] = {"loading", "ready", "stale", "absent"};
  const auto i = static_cast<std::size_t>(s);
  return i < std::size(names) ? names[i] : "unknown";
}

const char *bundle_event_name(bundle_event_kind k) noexcept {
  static constexpr const char *names[] = {"fetched", "switched", "failed", "removed", "repaired", "refused", "forgotten"};
  const auto i = static_cast<std::size_t>(k) - 1;
  return i < std::size(names) ? names[i] : "unknown";
}

const std::string &bundle::id() const noexcept { return pinned_->id; }
const std::string &bundle::commit() const noexcept { return pinned_->commit; }
const std::string &bundle::path() const noexcept { return pinned_->path; }
const std::string &bundle::folder() const noexcept { return pinned_->folder; }

bundles::bundles(const runtime &rt, bundles_options options) : core_(detail::loader_core::open(rt, std::move(options))) {}

bundles::~bundles() {
  if (core_) core_->close();
}

bundles::bundles(bundles &&) noexcept = default;

bundles &bundles::operator=(bundles &&o) noexcept {
  std::swap(core_, o.core_);
  return *this;
}

detail::io_executor bundles::executor() const { return core_->executor(); }

result<bundle> bundles::pin(std::string_view id) const {
  if (auto why = core_->runtime().refusal(); why.is(status::forked)) return why;
  auto pinned = core_->book().pin(id);
  if (!pinned) return pinned.error();
  return bundle(std::move(*pinned));
}

bool bundles::look(const std::string &id) { return core_->look_now(id); }

std::vector<bundle_status> bundles::status() const {
  if (core_->runtime().refusal().is(corbel::status::forked)) return {};  // its lock may be held by a thread that is not here
  return core_->book().status();
}

std::vector<std::pair<std::string, std::string>> bundles::failures() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto &s : status())
    if (s.why) out.emplace_back(s.id, s.why.message());
  return out;
}

void bundles::start_load(const core_ptr &core, bundle_source source, call c, detail::operation_ptr<bundle> op) {
  core->load(std::move(source), c, std::move(op));
}

void bundles::start_forget(const core_ptr &core, const std::string &id, call c, detail::operation_ptr<void> op) {
  core->forget(id, c, std::move(op));
}

void bundles::start_prune(const core_ptr &core, call c, detail::operation_ptr<std::size_t> op) {
  core->prune(c, std::move(op));
}

void bundles::start_events(const core_ptr &core, detail::operation_ptr<std::vector<bundle_event>> op) {
  if (op->cancellable())
    op->on_cancel([weak = std::weak_ptr(core)] {
      if (auto alive = weak.lock()) alive->events().cancel_receive();
    });
  core->events().receive(std::move(op));
}

std::string bundles_json(const std::vector<bundle_status> &all) {
  using std::chrono::duration_cast, std::chrono::milliseconds;
  const auto unix_ms = [](auto t) { return duration_cast<milliseconds>(t.time_since_epoch()).count(); };
  std::string out;
  json_writer w(out);
  w.begin_object().key("bundles").begin_object();
  for (const auto &s : all) {
    w.key(s.id).begin_object().member("state", bundle_state_name(s.state)).key("commit").text_or_null(s.commit);
    w.key("path")
        .text_or_null(s.path)
        .member("url", s.url)
        .key("ref")
        .text_or_null(s.ref)
        .key("subdir")
        .text_or_null(s.subdir);
    w.member("required", s.required).key("error").text_or_null(s.why.message()).member("failures", s.failures);
    w.member("since", unix_ms(s.since))
        .member("checked", unix_ms(s.checked))
        .member("files", s.files)
        .member("bytes", s.bytes);
    w.key("progress");
    if (s.progress.stage.empty()) {
      w.value(nullptr).end_object();
      continue;
    }
    w.begin_object().member("stage", s.progress.stage).member("objects", s.progress.objects);
    w.member("of_objects", s.progress.of_objects).member("bytes", s.progress.bytes).member("files", s.progress.files);
    w.member("percent", s.progress.percent()).end_object().end_object();
  }
  w.end_object().end_object();
  return out;
}

}  // namespace corbel
