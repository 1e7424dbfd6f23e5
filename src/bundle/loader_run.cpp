#include "bundle/loader_run.hpp"

#include "base/random.hpp"
#include "bundle/loader_health.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

void loader_core::add(run_ptr wanted, const std::shared_ptr<asker> &a) {
  auto same = std::ranges::find_if(waiting_, [&](const auto &r) { return r->same_look(wanted->request); });
  const auto &r = same != waiting_.end() ? *same : waiting_.emplace_back(std::move(wanted));
  r->askers.push_back(a);
  if (r->request.kind == job_kind::load && !r->has(a->id)) r->request.bundles.push_back({a->id, {}, false});
  if (a->timeout > a->timeout.zero()) {
    a->deadline.expires_after(a->timeout);
    a->deadline.async_wait([weak = weak_from_this(), a](boost::system::error_code ec) {
      auto self = weak.lock();
      if (ec || !self) return;
      self->leave(a, error(status::timeout, fmt::format("the bundle was not there within {} ms", a->timeout.count()),
                           "bundle", "DEADLINE", error::retriable));
    });
  }
  pump();
}

bool loader_core::may_start(const run &r) const {
  return std::ranges::none_of(running_, [&r](const auto &other) {
    return other->same_look(r.request) ||
           std::ranges::any_of(r.request.bundles, [&other](const auto &b) { return other->has(b.id); });
  });
}

void loader_core::pump() {
  // In order of arrival, so that of two sources for one bundle the later one wins.
  for (auto it = waiting_.begin(); it != waiting_.end() && running_.size() < options_.max_running;) {
    auto r = *it;
    const bool waits_for_earlier = std::any_of(waiting_.begin(), it, [&r](const auto &earlier) {
      return std::ranges::any_of(r->request.bundles, [&earlier](const auto &b) { return earlier->has(b.id); });
    });
    if (waits_for_earlier || !may_start(*r)) {
      ++it;
      continue;
    }
    waiting_.erase(it);
    start(r);
    it = waiting_.begin();
  }
}

void loader_core::start(const run_ptr &r) {
  auto &q = r->request;
  const bool beside_platform = options_.layout == bundle_layout::platform;
  q.root = beside_platform ? options_.root + "/.corbel" : options_.root;
  q.managed = beside_platform ? options_.root : "";
  q.most_bytes = options_.max_bytes;
  q.most_files = options_.max_files;
  q.most_path = options_.max_path;
  q.retention = {options_.keep, options_.keep_for, options_.keep_bytes, std::chrono::seconds(60)};
  if (q.kind == job_kind::load) {
    // Only what still has this source: another may have taken its place meanwhile.
    for (const auto &b : std::vector(q.bundles)) {
      const auto source = book_.source(b.id);
      if (source && r->same_look(load_run(*source)->request)) continue;
      std::erase_if(q.bundles, [&b](const auto &o) { return o.id == b.id; });
      finish_askers(r, &b.id, error(status::cancelled, "another source took the place of this one", "bundle"));
    }
    if (r->askers.empty()) return tell_idle();
    for (auto &b : q.bundles) {
      b.subdir = book_.source(b.id)->subdir;
      b.adopt = !book_.has(b.id);
      if (auto pinned = book_.pin(b.id)) q.held = (*pinned)->commit;
    }
    counters_->looks.fetch_add(1, std::memory_order_relaxed);
  }
  r->began = clock::now();
  running_.push_back(r);
  counters_->running.store(running_.size(), std::memory_order_relaxed);
  if (!options_.lock.redis || q.kind != job_kind::load) return launch(r);
  std::vector<std::string> ids;
  for (const auto &b : q.bundles) {
    ids.push_back(b.id);
    book_.progress(b.id, {.stage = "waiting"});
  }
  r->lock = std::make_shared<git_lock>(
      loop_, options_.lock, runtime_->instance(), std::move(ids), q.ref,
      [rt = runtime_, name = name_](const std::string &line) { rt->log(log_level::warning, name, line); });
  r->lock->take([weak = weak_from_this(), r](bool taken) {
    auto self = weak.lock();
    if (!self) return;
    if (taken) return self->launch(r);
    self->loop_->post([self, r] { self->ended(r, error(status::cancelled, "not needed any more", "bundle")); });
  });
}

void loader_core::launch(const run_ptr &r) {
  auto weak = weak_from_this();
  r->job = std::make_shared<git_job>(git_job::handlers{[weak, r](const job_message &m, std::shared_ptr<commit_hold> hold) {
                                                         if (auto self = weak.lock()) self->message(r, m, hold);
                                                       },
                                                       [weak, r](const error &why) {
                                                         r->job.reset();
                                                         if (auto self = weak.lock()) self->ended(r, why);
                                                       }});
  if (auto why = r->job->start(programs_, r->request)) {
    loop_->post([weak, r, why] {
      r->job.reset();
      if (auto self = weak.lock()) self->ended(r, why);
    });
  }
}

void loader_core::message(const run_ptr &r, const job_message &m, const std::shared_ptr<commit_hold> &hold) {
  switch (m.what) {
    case job_message::kind::kept:
      return book_.adopt(m.id, m.subdir, hold);
    case job_message::kind::progress:
      for (const auto &b : r->request.bundles) book_.progress(b.id, {m.stage, m.objects, m.of_objects, m.bytes, m.files});
      return;
    case job_message::kind::removed:
      r->removed += m.removed.size();
      counters_->removed.fetch_add(m.removed.size(), std::memory_order_relaxed);
      for (const auto &name : m.removed) {
        const auto slash = name.rfind('/');
        tell({.what = bundle_event_kind::removed, .id = name.substr(0, slash), .commit = name.substr(slash + 1)});
      }
      return;
    case job_message::kind::done:
      return done(r, m, hold);
    case job_message::kind::idle:
      return;  // the job's own
    case job_message::kind::failed:
      r->has_outcome = true;
      r->failure = m.why;
      for (const auto &b : r->request.bundles) failed(r, b.id, m.why);
      return finish_askers(r, nullptr, m.why);
  }
}

void loader_core::done(const run_ptr &r, const job_message &m, const std::shared_ptr<commit_hold> &hold) {
  r->has_outcome = true;
  if (r->request.kind != job_kind::load) return;  // they end with it: a pruning's figures come after
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - r->began);
  if (m.fetched) {
    counters_->fetches.fetch_add(1, std::memory_order_relaxed);
    for (const auto &b : m.bundles)
      tell({.what = bundle_event_kind::fetched,
            .id = b.id,
            .commit = m.commit,
            .bytes = m.bytes,
            .files = m.files,
            .took = took});
  }
  if (m.repaired > 0) {
    counters_->repaired.fetch_add(m.repaired, std::memory_order_relaxed);
    runtime_->log(log_level::warning, name_,
                  fmt::format("{} files of commit {} had been written to and were made anew", m.repaired, m.commit));
    for (const auto &b : m.bundles)
      tell({.what = bundle_event_kind::repaired, .id = b.id, .commit = m.commit, .files = m.repaired, .took = took});
  }
  for (const auto &b : m.bundles) {
    if (b.why) {
      failed(r, b.id, b.why);
      continue;
    }
    const auto source = book_.source(b.id);
    if (!source) continue;
    const auto before = book_.succeeded(b.id, source->subdir, hold, m.files, m.bytes);
    if (before != m.commit) {
      counters_->switches.fetch_add(1, std::memory_order_relaxed);
      runtime_->log(
          log_level::info, name_,
          fmt::format("bundle '{}' is at commit {}{}", b.id, m.commit, before.empty() ? "" : ", before " + before));
      tell({.what = bundle_event_kind::switched,
            .id = b.id,
            .commit = m.commit,
            .previous = before,
            .path = hold->folder + (source->subdir.empty() ? "" : "/" + source->subdir),
            .bytes = m.bytes,
            .files = m.files,
            .took = took});
      tell_listeners(b.id);
    }
    if (auto it = followed_.find(b.id); it != followed_.end()) schedule(b.id, it->second->plan.succeeded(random_unit()));
  }
  report_health();
  for (const auto &b : m.bundles) finish_askers(r, &b.id, b.why);
  finish_askers(r, nullptr, {});
  // What it does afterwards, removing old commits, is bounded too.
  r->last.expires_after(options_.network_timeout);
  r->last.async_wait([r](boost::system::error_code ec) {
    if (!ec && r->job) r->job->kill();
  });
}

void loader_core::failed(const run_ptr &r, const std::string &id, const error &why) {
  counters_->failures.fetch_add(1, std::memory_order_relaxed);
  book_.failed(id, why);
  runtime_->log(log_level::warning, name_, fmt::format("bundle '{}': {}", id, why.message()));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - r->began);
  tell({.what = bundle_event_kind::failed, .id = id, .why = why, .took = took});
  if (auto it = followed_.find(id); it != followed_.end())
    schedule(id, it->second->plan.failed(why.may_retry(), !book_.has(id), random_unit()));
  report_health();
}

void loader_core::ended(const run_ptr &r, const error &why) {
  r->last.cancel();
  if (auto lock = std::exchange(r->lock, nullptr)) lock->give_up();
  running_.remove(r);
  counters_->running.store(running_.size(), std::memory_order_relaxed);
  // Without an outcome: it was killed, for nobody waited any more or at a deadline; or it died.
  const auto outcome = r->failure ? r->failure : why;
  if (!r->has_outcome && !closing_ && !r->askers.empty())
    for (const auto &b : r->request.bundles) failed(r, b.id, why);
  finish_askers(r, nullptr, outcome);
  pump();
  tell_idle();
}

/// Those of one bundle, or all.
void loader_core::finish_askers(const run_ptr &r, const std::string *id, const error &why) {
  std::list<std::shared_ptr<asker>> those;
  for (auto it = r->askers.begin(); it != r->askers.end();) {
    const auto next = std::next(it);
    if (!id || (*it)->id == *id) those.splice(those.end(), r->askers, it);
    it = next;
  }
  for (const auto &a : those) {
    a->deadline.cancel();
    if (auto end = std::exchange(a->end, nullptr)) end(why, r->removed);
  }
}

/// One goes; the run goes with the last one, unless it has its outcome already.
void loader_core::leave(const std::shared_ptr<asker> &a, const error &why) {
  auto keep = shared_from_this();
  for (auto *list : {&waiting_, &running_}) {
    for (const auto &r : std::list(*list)) {
      if (std::ranges::find(r->askers, a) == r->askers.end()) continue;
      r->askers.remove(a);
      if (!r->askers.empty() || r->has_outcome) break;
      for (const auto &b : r->request.bundles) {
        const auto it = followed_.find(b.id);
        if (why.is(status::timeout))
          failed(r, b.id, why);
        else if (it != followed_.end())
          schedule(b.id, it->second->plan.called_off(random_unit()));
      }
      call_off(r);
      break;
    }
  }
  a->deadline.cancel();
  if (auto end = std::exchange(a->end, nullptr))
    end(why ? why : error(status::cancelled, "not needed any more", "bundle"), 0);
  tell_idle();
}

void loader_core::tell(bundle_event e) { events_->put(std::move(e)); }

void loader_core::report_health() {
  if (!closing_) runtime_->health().set(loader_health(name_, book_.status()));
}

}  // namespace corbel::detail
