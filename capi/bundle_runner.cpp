#include "bundle/runner_core.hpp"
#include "capi/bundle.hpp"
#include "capi/cancel_point.hpp"
#include "json/writer.hpp"

#include <corbel/bundle_runner.hpp>

#include <sstream>

using namespace corbel;
using namespace corbel::capi;

struct corbel_bundle_runner {
  bundle_runner value;
  detail::runner_core &core() noexcept { return *value.core(); }
};

namespace {

void end(completion &done, result<bundle_answer> r) {
  if (!r) return done.fail(CORBEL_EVENT_BUNDLE_ANSWER, r.error());
  try {
    std::string out;
    json_writer(out).begin_object().member("commit", r->commit).key("result").raw(r->result).end_object();
    done.succeed(CORBEL_EVENT_BUNDLE_ANSWER, 0, new corbel_text{std::move(out)});
  } catch (const std::bad_alloc &) {
    done.fail(CORBEL_EVENT_BUNDLE_ANSWER, error::out_of_memory());
  }
}

}  // namespace

corbel_status corbel_bundle_runner_open(corbel_bundles *l, const corbel_bundle_runner_options *o, corbel_bundle_runner **out,
                                        corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!l || !out) return invalid("the loader or the out-parameter is NULL");
    corbel_bundle_runner_options given;
    if (auto why = read_options(o, given, "corbel_bundle_runner_options")) return why;
    if (auto why = l->core().runtime().refusal()) return why;
    bundle_runner_options options{.program = text_or(given.program, ""), .user = text_or(given.user, "")};
    if (given.max_waiting != 0) options.max_waiting = given.max_waiting;
    std::istringstream names(text_or(given.environment, ""));
    for (std::string name; names >> name;) options.environment.push_back(name);
    *out = new corbel_bundle_runner{bundle_runner(l->value, std::move(options))};
    return {};
  });
}

corbel_status corbel_bundle_run(corbel_bundle_runner *r, const char *bundle, const char *kind, const char *task, size_t size,
                                const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!r || !bundle || !kind || (!task && size != 0))
      return invalid("the runner, the bundle, the kind or the task is NULL");
    if (auto why = r->core().runtime().refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options, false)) return why;
    if (!to.has_queue()) return invalid("corbel_call.to is NULL: a run needs a queue for its events");
    const auto ticket = r->core().next_ticket();
    to.identify(ticket, CORBEL_SOURCE_BUNDLE);
    give_ticket(t, ticket);
    const auto said = [to](const std::string &event) { to.notify(CORBEL_EVENT_BUNDLE_SAID, new corbel_text{event}); };
    event_handler<bundle_answer> handler(std::move(to), end,
                                         cancel_point::make(r->core().runtime(), ticket, r->core().executor()));
    r->value.async_run({.bundle = bundle, .kind = kind, .task = std::string(task ? task : "", size)}, said, options,
                       std::move(handler));
    return {};
  });
}

corbel_status corbel_bundle_runner_json(corbel_bundle_runner *r, corbel_text **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!r || !out) return invalid("the runner or the out-parameter is NULL");
    if (r->core().runtime().forked()) return detail::forked_error();
    *out = new corbel_text{bundle_runner_json(r->value.status())};
    return {};
  });
}

void corbel_bundle_runner_free(corbel_bundle_runner *r) {
  if (r) free_handle(r, r->core().runtime().forked());
}
