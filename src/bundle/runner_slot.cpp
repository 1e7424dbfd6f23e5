#include "bundle/runner_slot.hpp"

#include "bundle/loader_core.hpp"

#include <fmt/format.h>

#include <fstream>

namespace corbel::detail {

namespace {

constexpr std::size_t most_manifest = std::size_t{64} << 10;
constexpr std::chrono::seconds manifest_time{10};
using clock = child_plan::clock;

struct read_text {
  std::string text;
  error why;
};

read_text read_manifest(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  read_text out;
  if (!in) {
    out.why = error(status::invalid,
                    fmt::format("the bundle cannot be run: there is no {} to read in its folder {}", child_manifest::file,
                                path.substr(0, path.rfind('/'))),
                    "bundle", "MANIFEST");
    return out;
  }
  out.text.resize(most_manifest + 1);
  in.read(out.text.data(), static_cast<std::streamsize>(out.text.size()));
  out.text.resize(static_cast<std::size_t>(in.gcount()));
  if (out.text.size() > most_manifest)
    out.why = error(status::invalid, fmt::format("{} is longer than {} bytes", child_manifest::file, most_manifest),
                    "bundle", "MANIFEST");
  return out;
}

}  // namespace

runner_slot::runner_slot(std::weak_ptr<slot_owner> owner, std::string id)
    : owner_(std::move(owner)),
      id_(std::move(id)),
      plan_(owner_.lock()->options().max_waiting),
      timer_(owner_.lock()->where()->context()) {
  status_.id = id_;
}

runner_slot::~runner_slot() {
  for (auto &[id, c] : children_)
    if (c.program) c.program->end();
}

/// A handler that runs as a member while this slot lives.
template <class F>
auto runner_slot::guarded(F f) {
  return [weak = weak_from_this(), f = std::move(f)](auto &&...args) {
    if (auto self = weak.lock()) f(*self, std::forward<decltype(args)>(args)...);
  };
}

error runner_slot::look() {
  const auto owner = owner_.lock();
  if (!owner || closed_) return error(status::closed, "the bundle runner was closed", "bundle");
  const auto pinned = owner->loader().book().pin(id_);
  if (!pinned) return pinned.error();
  const auto &now = *pinned;
  if (latest_ && latest_->commit == now->commit && latest_->path == now->path) return {};
  latest_ = now;
  const auto v = ++newest_;
  plan_.coming();
  auto read = std::make_shared<read_text>();
  owner->runtime().blocking().run(
      owner->where(), manifest_time,
      [read, path = fmt::format("{}/{}", now->path, child_manifest::file)] { *read = read_manifest(path); },
      guarded([v, read](runner_slot &self, bool ran) {
        if (ran) return self.manifest_read(v, read->text, read->why);
        self.latest_.reset();  // to be looked at again
        self.manifest_read(v, "",
                           error(status::timeout, fmt::format("{} could not be read in time", child_manifest::file),
                                 "bundle", "MANIFEST", error::retriable));
      }));
  return {};
}

void runner_slot::manifest_read(number v, const std::string &text, const error &why) {
  const auto owner = owner_.lock();
  // Only the newest counts: who asks next looks for himself.
  if (!owner || closed_ || v != newest_) return;
  const auto refuse = [&](const error &e) {
    owner->runtime().log(log_level::warning, "handlers", fmt::format("bundle '{}': {}", id_, e.message()));
    apply(plan_.unusable(v, e, clock::now()));
  };
  if (why) return refuse(why);
  auto manifest = child_manifest::parse(text);
  if (!manifest) return refuse(manifest.error());
  auto environment = child_environment(*manifest, id_, latest_->commit, owner->variables());
  if (!environment) return refuse(environment.error());
  const child_plan::limits limits{manifest->concurrency, manifest->processes, manifest->start, manifest->turn,
                                  manifest->stop};
  versions_[v] = {latest_, std::move(*manifest), std::move(*environment)};
  apply(plan_.current(v, limits, clock::now()));
}

// ---- requests ----

void runner_slot::add(number ticket, std::unique_ptr<slot_request> r) {
  const auto now = clock::now();
  const auto deadline = r->timeout > r->timeout.zero() ? now + r->timeout : clock::time_point::max();
  requests_[ticket] = std::move(r);
  apply(plan_.add(ticket, deadline, now));
}

void runner_slot::finish(number ticket, result<bundle_answer> r) {
  const auto it = requests_.find(ticket);
  if (it == requests_.end()) return;
  auto op = std::move(it->second->op);
  requests_.erase(it);
  ++(r ? status_.answered : status_.failed);
  show();  // who gets it sees it counted
  detail::finish(std::move(op), std::move(r));
}

void runner_slot::drop(number ticket, const error &why) {
  auto actions = plan_.drop(ticket, clock::now());
  finish(ticket, why);
  apply(std::move(actions));
}

void runner_slot::close(const error &why) {
  closed_ = true;
  apply(plan_.close(why, clock::now()));
}

void runner_slot::abort(const error &why) {
  closed_ = true;
  timer_.cancel();
  plan_.close(why, clock::now());
  while (!requests_.empty()) finish(requests_.begin()->first, why);
  for (auto &[id, c] : children_)
    if (c.program) c.program->end();
}

// ---- actions ----

void runner_slot::apply(child_plan::actions actions) {
  const auto keep = shared_from_this();
  for (auto &a : actions) {
    using kind = child_plan::action::kind;
    const auto at = children_.find(a.child);
    switch (a.what) {
      case kind::start:
        start_child(a.child, a.version);
        break;
      case kind::send:
        if (const auto it = requests_.find(a.request); it != requests_.end() && at != children_.end()) {
          at->second.given[a.request] = 0;
          at->second.program->send(write_child_request(a.request, it->second->kind, it->second->task));
        }
        break;
      case kind::cancel:
        if (at != children_.end() && at->second.program) at->second.program->send(write_child_cancel(a.request));
        break;
      case kind::fail:
        finish(a.request, a.why);
        break;
      case kind::stop:
        if (at != children_.end() && at->second.program) at->second.program->close_input();
        break;
      case kind::kill:
        fault(a.child, a.why);
        break;
    }
  }
  std::erase_if(versions_, [this](const auto &v) { return v.first != newest_ && !plan_.uses(v.first); });
  show();
  arm();
  if (const auto owner = owner_.lock()) owner->settled(*this);
}

void runner_slot::start_child(number child, number v) {
  const auto owner = owner_.lock();
  const auto it = versions_.find(v);
  if (!owner || it == versions_.end()) return;
  const auto &[pin, manifest, environment] = it->second;
  ++status_.starts;
  piped_child::settings s{.environment = environment, .most_line = manifest.most_line};
  const auto &user = owner->options().user;
  s.arguments = {owner->program(), std::to_string(::getpid()), ::geteuid() != 0 ? "-" : (user.empty() ? "nobody" : user),
                 pin->path, child_limits(manifest)};
  s.arguments.insert(s.arguments.end(), manifest.command.begin(), manifest.command.end());
  auto started = piped_child::start(
      owner->where(), std::move(s),
      {.line = guarded([child](runner_slot &self, std::string_view text) { self.line(child, text); }),
       .error_line = guarded([child](runner_slot &self, std::string_view text) { self.error_line(child, text); }),
       .too_long = guarded([child, most = manifest.most_line](runner_slot &self, std::size_t) {
         self.fault(child, error(status::protocol,
                                 fmt::format("the handler wrote a line of more than {} bytes (limits.line)", most), "bundle",
                                 "OUTPUT", error::maybe_applied));
       }),
       .ended = guarded(
           [child](runner_slot &self, int status, std::string_view rest) { self.ended(child, status, rest.size()); })});
  auto &r = children_[child];
  r.version = v;
  if (started) {
    r.program = std::move(*started);
    return;
  }
  owner->where()->post(guarded([child, why = started.error()](runner_slot &self) {
    if (self.children_.erase(child) != 0) self.apply(self.plan_.ended(child, why, clock::now()));
  }));
}

void runner_slot::show() {
  const auto serving = versions_.find(plan_.serving());
  if (serving != versions_.end()) status_.commit = serving->second.pin->commit;
  status_.handlers = static_cast<std::uint32_t>(plan_.children());
  status_.in_hand = static_cast<std::uint32_t>(plan_.in_hand());
  status_.waiting = static_cast<std::uint32_t>(plan_.waiting());
  status_.error = plan_.broken().message();
  if (const auto owner = owner_.lock()) owner->changed(*this);
}

void runner_slot::arm() {
  timer_.cancel();
  const auto due = plan_.next_tick(clock::now());
  if (!due) return;
  timer_.expires_at(*due);
  timer_.async_wait(guarded([](runner_slot &self, boost::system::error_code ec) {
    if (!ec) self.apply(self.plan_.tick(clock::now()));
  }));
}

}  // namespace corbel::detail
