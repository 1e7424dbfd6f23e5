#pragma once
/// Runs the handlers of bundles: programs in any language, each a long-lived child process that takes requests and answers
/// them in lines of JSON. The file bundle.yaml in the bundle's folder says how; docs/bundle-handlers.md tells it all.
///
///     corbel::bundle_runner runner(loader, {});
///     auto answer = co_await runner.async_run({.bundle = "app", .task = R"({"text": "hello"})"},
///                                             [](const std::string &event) { tell(event); }, {}, asio::use_awaitable);
///     use(answer->result);                                // result<bundle_answer>
///
/// A handler is started with its first request, again after it died, ever more rarely when it keeps dying. When another
/// commit becomes current, its handler is started beside the old one; once it is ready it gets the new requests, the old one
/// ends those it has, stops, and its pin goes. A handler that says nonsense, too much or nothing is ended, and what it had
/// in hand fails, once. It runs as another user when this process is root, with an environment of its own, and nothing that
/// it has started outlives this process. Threads: any.

#include <corbel/bundle.hpp>

#include <functional>

namespace corbel {

namespace detail {
class runner_core;
}  // namespace detail

struct bundle_runner_options {
  std::string program = {};  ///< path of corbel-run; empty: the environment's CORBEL_RUN, else beside the library
  std::string user = {};     ///< who the handlers run as when this process is root; empty: nobody
  std::vector<std::string> environment = {};  ///< variables of this process that a manifest may ask for
  std::size_t max_waiting = 1024;             ///< requests that wait for one bundle; further ones are refused with BUSY
  /// Gets what handlers report of economics, a JSON object, on the runtime's I/O thread: must be quick.
  std::function<void(const std::string &bundle, const std::string &economics)> economics = {};
};

struct bundle_request {
  std::string bundle;         ///< its id with the loader
  std::string kind = "turn";  ///< "turn" or "operation"
  std::string task = "{}";    ///< JSON, what the handler is given
};

struct bundle_answer {
  std::string result;  ///< JSON
  std::string commit;  ///< of the handler that gave it
};

/// What is known of one bundle's handlers.
struct bundle_runner_status {
  std::string id;
  std::string commit = {};  ///< of the handler that gets new requests; empty: none has become ready yet
  std::uint32_t handlers = 0, in_hand = 0, waiting = 0;
  std::uint64_t answered = 0, failed = 0;  ///< requests
  std::uint64_t starts = 0, deaths = 0;    ///< of handlers; those that were told to stop are no deaths
  std::string error = {};                  ///< why the handler of what is current does not start
};

class bundle_runner {
 public:
  /// Called on the runtime's I/O thread, in order, before the call ends: must be quick, may start calls. JSON.
  using event_function = std::function<void(const std::string &event)>;

  /// Throws failure when an option is wrong, or corbel-run is not found. The loader may go before.
  bundle_runner(const bundles &loader, bundle_runner_options options);
  /// Ends handlers and what is under way, with CLOSED.
  ~bundle_runner();
  bundle_runner(bundle_runner &&) noexcept;
  bundle_runner &operator=(bundle_runner &&) noexcept;

  /// A timeout of 0 is the manifest's limit for a turn, which counts in any case once a handler has the request. Errors
  /// beside those of every call: the loader's for a bundle it does not have; UNAVAILABLE "START" while no handler starts;
  /// LOST "DIED", PROTOCOL "LINE" or "OUTPUT", TIMEOUT "TURN", each maybe applied; INTERNAL with the class that the handler
  /// gave for what it failed with itself, which may be tried again when it says so. Signature: void(result<bundle_answer>).
  template <class Token>
  auto async_run(bundle_request request, event_function on_event, call c, Token &&token) {
    return detail::initiate<bundle_answer>(
        [core = core_, request = std::move(request), on_event = std::move(on_event),
         c](detail::operation_ptr<bundle_answer> op) mutable {
          start_run(core, std::move(request), std::move(on_event), c, std::move(op));
        },
        executor(), token);
  }

  /// Bundles that were run so far, by id.
  std::vector<bundle_runner_status> status() const;

  const std::shared_ptr<detail::runner_core> &core() const noexcept { return core_; }

 private:
  using core_ptr = std::shared_ptr<detail::runner_core>;
  static void start_run(const core_ptr &, bundle_request, event_function, call, detail::operation_ptr<bundle_answer>);
  detail::io_executor executor() const;
  core_ptr core_;
};

/// {"handlers": {"<id>": {"commit", "handlers", "in_hand", "waiting", "answered", "failed", "starts", "deaths", "error"}}}
std::string bundle_runner_json(const std::vector<bundle_runner_status> &all);

}  // namespace corbel
