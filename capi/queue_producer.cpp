#include "capi/event_operation.hpp"
#include "capi/queue_options.hpp"
#include "queue/producer_core.hpp"

using namespace corbel;
using namespace corbel::capi;

struct corbel_producer {
  std::shared_ptr<detail::producer_core> core;  // a handle
};

struct corbel_receipt {
  std::vector<std::string> ids;
  std::vector<char> repeated;
  std::string text;
};

namespace {

corbel_receipt *make_receipt(put_receipt &&r) {
  auto made = std::make_unique<corbel_receipt>();
  made->ids = std::move(r.ids);
  made->repeated.resize(made->ids.size());
  for (auto i : r.repeated) made->repeated[i] = 1;
  for (std::size_t i = 0; i < made->ids.size(); ++i) {
    made->text += made->repeated[i] ? '=' : '+';
    made->text += made->ids[i];
    made->text += '\n';
  }
  return made.release();
}

void end_as_depth(completion &done, result<put_receipt> r) {
  if (r)
    done.succeed(CORBEL_EVENT_QUEUED, r->depth, nullptr);
  else
    done.fail(CORBEL_EVENT_QUEUED, r.error());
}

void end_as_receipt(completion &done, result<put_receipt> r) {
  if (!r) return done.fail(CORBEL_EVENT_QUEUED, r.error());
  const auto depth = r->depth;
  corbel_receipt *receipt = nullptr;
  try {
    receipt = make_receipt(std::move(*r));
  } catch (const std::bad_alloc &) {
    // It was put: that is told all the same.
  }
  done.succeed(CORBEL_EVENT_QUEUED, depth, receipt);
}

}  // namespace

corbel_status corbel_producer_open(corbel_redis *r, const corbel_queue_options *o, corbel_producer **out,
                                   corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!r || !out) return invalid("the pool or the out-parameter is NULL");
    corbel_queue_options given;
    queue_options options;
    if (auto why = read_queue_options(o, given, options)) return why;
    if (auto why = r->core().refusal()) return why;
    *out = new corbel_producer{detail::producer_core::open(r->value, std::move(options))};
    return {};
  });
}

corbel_status corbel_producer_set_admission(corbel_producer *p, const corbel_queue_admission *a, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!p) return invalid("the producer is NULL");
    if (auto why = p->core->refusal()) return why;
    std::optional<queue_admission> rules;
    if (a) {
      if (auto why = read_admission(a, rules.emplace())) return why;
    }
    p->core->set_admission(std::move(rules));
    return {};
  });
}

corbel_status corbel_producer_put(corbel_producer *p, const corbel_put *items, size_t count, size_t each,
                                  const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!p) return invalid("the producer is NULL");
    if (auto why = p->core->refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, CORBEL_CALL_RECEIPT, to, options)) return why;
    std::vector<put_item> all;
    if (auto why = read_put(items, count, each, all)) return why;
    if (auto why = p->core->check(all)) return why;
    const bool wants_receipt = c && (c->flags & CORBEL_CALL_RECEIPT) != 0 && to.has_queue();
    const auto ticket = to.has_queue() ? p->core->next_ticket() : 0;
    to.identify(ticket, CORBEL_SOURCE_QUEUE);
    give_ticket(t, ticket);
    p->core->put(std::move(all), options,
                 make_operation<put_receipt>(std::move(to), wants_receipt ? end_as_receipt : end_as_depth), ticket);
    return {};
  });
}

corbel_status corbel_producer_depth(corbel_producer *p, const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!p) return invalid("the producer is NULL");
    if (auto why = p->core->refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    const auto ticket = to.has_queue() ? p->core->next_ticket() : 0;
    to.identify(ticket, CORBEL_SOURCE_QUEUE);
    give_ticket(t, ticket);
    p->core->depth(options,
                   make_operation<std::int64_t>(std::move(to),
                                                [](completion &done, result<std::int64_t> r) {
                                                  if (r)
                                                    done.succeed(CORBEL_EVENT_DONE, *r, nullptr);
                                                  else
                                                    done.fail(CORBEL_EVENT_DONE, r.error());
                                                }),
                   ticket);
    return {};
  });
}

void corbel_producer_free(corbel_producer *p) {
  if (p) free_handle(p, p->core->pool().core()->runtime().forked());
}

// ---- receipt ----

size_t corbel_receipt_count(const corbel_receipt *y) { return y ? y->ids.size() : 0; }

const char *corbel_receipt_id(const corbel_receipt *y, size_t i) { return y && i < y->ids.size() ? y->ids[i].c_str() : ""; }

int corbel_receipt_repeated(const corbel_receipt *y, size_t i) { return y && i < y->repeated.size() ? y->repeated[i] : 0; }

const char *corbel_receipt_text(const corbel_receipt *y) { return y ? y->text.c_str() : ""; }

void corbel_receipt_free(corbel_receipt *y) { delete y; }
