#pragma once
/// Bundles: code that a host runs, kept in a git repository at a ref. The loader brings it, keeps it current, and hands it
/// out pinned to a commit; what runs keeps running while the next version arrives.
///
///     corbel::bundles loader(rt, {.root = "/var/lib/app/bundles"});
///     auto b = co_await loader.async_load({.id = "app", .url = "https://git.example/app.git", .ref = "main", .follow =
///     30s},
///                                         {}, asio::use_awaitable);   // result<bundle>
///     run(b->path());                                                 // stays as it is until *b goes
///     auto now = loader.pin("app");                                   // what is current; never waits
///
/// Git runs in the program corbel-git, which is killed at a deadline or on cancel; nothing of it blocks or outlives a call.
/// Several loaders and processes may share a root: a repository is fetched once, a commit written once. A commit's folder is
/// complete before it has its name, read-only, and stays while a pin of it lives in any process. Threads: any.

#include <corbel/bundle_options.hpp>
#include <corbel/call.hpp>
#include <corbel/detail/operation.hpp>
#include <corbel/result.hpp>
#include <corbel/runtime.hpp>

#include <memory>
#include <string>
#include <vector>

namespace corbel {

namespace detail {
struct pinned_bundle;
class loader_core;
}  // namespace detail

/// One bundle at one commit: a pin. Copies are cheap; the folder stays as long as one of them lives, also after the loader.
class bundle {
 public:
  explicit bundle(std::shared_ptr<const detail::pinned_bundle> pinned) noexcept : pinned_(std::move(pinned)) {}
  const std::string &id() const noexcept;
  const std::string &commit() const noexcept;  ///< 40 hexadecimal digits
  const std::string &path() const noexcept;    ///< the folder of its code: the commit's, with the source's subdir
  const std::string &folder() const noexcept;  ///< the commit's whole folder

 private:
  std::shared_ptr<const detail::pinned_bundle> pinned_;
};

class bundles {
 public:
  /// Throws failure when an option is wrong, or corbel-git is not found.
  bundles(const runtime &rt, bundles_options options);
  /// Ends what is under way with CLOSED. Pins stay good.
  ~bundles();
  bundles(bundles &&) noexcept;
  bundles &operator=(bundles &&) noexcept;

  /// Makes the source the one of its id, brings its commit, makes that current, and pins it. It fails with what went wrong;
  /// what was current before stays current, also when it is from an earlier run of the process. A timeout of 0 is the
  /// loader's network_timeout, for everything together. Calls for one ref share a fetch that has not begun; later ones look
  /// again. Signature: void(result<bundle>).
  template <class Token>
  auto async_load(bundle_source source, call c, Token &&token) {
    return detail::initiate<bundle>(
        [core = core_, source = std::move(source), c](detail::operation_ptr<bundle> op) mutable {
          start_load(core, std::move(source), c, std::move(op));
        },
        executor(), token);
  }
  /// What is current of that id, from this process's last load, or from an earlier one's as far as a load has begun. Never
  /// waits. Errors: status::invalid for an unknown id, status::unavailable with the last failure while there is nothing.
  result<bundle> pin(std::string_view id) const;
  /// Looks for a new commit now, as after a push; what becomes of it is told by the events. Never waits; calls that come
  /// while one waits to begin are one. False for an unknown id.
  bool look(const std::string &id);
  /// Forgets a bundle: it is followed no more, and its folder is removed as the retention says. Pins stay good. Signature:
  /// void(result<void>).
  template <class Token>
  auto async_forget(std::string id, call c, Token &&token) {
    return detail::initiate<void>(
        [core = core_, id = std::move(id), c](detail::operation_ptr<void> op) { start_forget(core, id, c, std::move(op)); },
        executor(), token);
  }
  /// Removes what the retention says, in all repositories of the root, and what killed processes have left; loads do it for
  /// their own repository. Signature: void(result<std::size_t>): commits removed.
  template <class Token>
  auto async_prune(call c, Token &&token) {
    return detail::initiate<std::size_t>(
        [core = core_, c](detail::operation_ptr<std::size_t> op) { start_prune(core, c, std::move(op)); }, executor(),
        token);
  }
  /// What happened since the last time, oldest first; waits for something when that is nothing. One at a time. Signature:
  /// void(result<std::vector<bundle_event>>).
  template <class Token>
  auto async_events(Token &&token) {
    return detail::initiate<std::vector<bundle_event>>(
        [core = core_](detail::operation_ptr<std::vector<bundle_event>> op) { start_events(core, std::move(op)); },
        executor(), token);
  }

  /// All bundles by id.
  std::vector<bundle_status> status() const;
  /// Those that fail, and why: {"<id>": "<text>"}, as /health shows it.
  std::vector<std::pair<std::string, std::string>> failures() const;

  const std::shared_ptr<detail::loader_core> &core() const noexcept { return core_; }

 private:
  using core_ptr = std::shared_ptr<detail::loader_core>;
  static void start_load(const core_ptr &, bundle_source, call, detail::operation_ptr<bundle>);
  static void start_forget(const core_ptr &, const std::string &, call, detail::operation_ptr<void>);
  static void start_prune(const core_ptr &, call, detail::operation_ptr<std::size_t>);
  static void start_events(const core_ptr &, detail::operation_ptr<std::vector<bundle_event>>);
  detail::io_executor executor() const;
  core_ptr core_;
};

/// {"bundles": {"<id>": {"state", "commit", "path", "ref", "url", "subdir", "error", "failures", "since", "progress":
/// {...}}}}
std::string bundles_json(const std::vector<bundle_status> &all);

}  // namespace corbel
