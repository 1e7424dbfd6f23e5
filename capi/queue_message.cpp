#include "capi/event_operation.hpp"
#include "capi/queue_feed.hpp"
#include "capi/queue_options.hpp"

using namespace corbel;
using namespace corbel::capi;

namespace {

/// The end of several settlements that are one call: the last one tells.
class shared_end {
 public:
  explicit shared_end(completion to) : to_(std::move(to)) {}
  ~shared_end() {
    if (why_)
      to_.fail(CORBEL_EVENT_DONE, why_);
    else
      to_.succeed(CORBEL_EVENT_DONE, ours_, nullptr);
  }
  void ended(const result<bool> &r) {
    std::lock_guard lock(mutex_);
    if (!r)
      why_ = r.error();
    else if (*r)
      ++ours_;
  }

 private:
  std::mutex mutex_;  // some may end where they begin
  completion to_;
  std::int64_t ours_ = 0;
  error why_;
};

class one_of_many final : public detail::operation<bool> {
 public:
  explicit one_of_many(std::shared_ptr<shared_end> end) : end_(std::move(end)) {}
  void finish(result<bool> r) noexcept override {
    end_->ended(r);
    delete this;
  }

 private:
  const std::shared_ptr<shared_end> end_;
};

void end_as_flag(completion &done, result<bool> r) {
  if (r)
    done.succeed(CORBEL_EVENT_DONE, *r ? 1 : 0, nullptr);
  else
    done.fail(CORBEL_EVENT_DONE, r.error());
}

const std::string &lane_of(const corbel_message &j) { return j.state->core->lanes()[j.state->claimed->lane].name; }

}  // namespace

corbel_status corbel_message_view_get(const corbel_message *j, corbel_message_view *out, size_t size) {
  if (!j) return CORBEL_INVALID;
  const auto &m = *j->state->claimed;
  corbel_message_view v;
  v.body = bytes_of(m.delivered());
  v.id = bytes_of(m.id);
  v.lane = bytes_of(lane_of(*j));
  v.group = bytes_of(m.group);
  v.token = m.token;
  v.put_ms = unix_ms(m.put_at);
  v.attempt = m.attempt;
  v.lost = j->state->taken_away ? 1 : 0;
  return give_struct(v, out, size);
}

corbel_status corbel_message_body(const corbel_message *j, corbel_bytes *out) {
  if (!j || !out) return CORBEL_INVALID;
  *out = bytes_of(j->state->claimed->delivered());
  return CORBEL_OK;
}

const char *corbel_message_id(const corbel_message *j) { return j ? j->state->claimed->id.c_str() : ""; }
uint32_t corbel_message_attempt(const corbel_message *j) { return j ? j->state->claimed->attempt : 0; }
uint64_t corbel_message_token(const corbel_message *j) { return j ? j->state->claimed->token : 0; }
const char *corbel_message_lane(const corbel_message *j) { return j ? lane_of(*j).c_str() : ""; }
const char *corbel_message_group(const corbel_message *j) { return j ? j->state->claimed->group.c_str() : ""; }
int64_t corbel_message_put_ms(const corbel_message *j) { return j ? unix_ms(j->state->claimed->put_at) : 0; }
int corbel_message_lost(const corbel_message *j) { return j && j->state->taken_away ? 1 : 0; }

corbel_status corbel_message_wait_lost(corbel_message *j, const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!j) return invalid("the message is NULL");
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    if (options.timeout > options.timeout.zero())
      return invalid("a wait for a lost lease has no deadline: give a timeout_ms of 0");
    auto &core = *j->state->core;
    if (auto why = core.refusal()) return why;
    const auto ticket = core.next_ticket();
    to.identify(ticket, CORBEL_SOURCE_QUEUE);
    give_ticket(t, to.has_queue() ? ticket : 0);
    core.start_wait_lost(j->state, make_operation<bool>(std::move(to), end_as_flag), ticket);
    return {};
  });
}

corbel_status corbel_message_settle(corbel_message *j, const corbel_settle *s, const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!j) return invalid("the message is NULL");
    settle_request how(settle::done);
    completion to;
    call options;
    if (auto why = read_settle(s, how)) return why;
    if (auto why = completion::read(c, 0, to, options)) return why;
    auto &core = *j->state->core;
    const bool overtaken = j->state->overtaken();
    if (!overtaken) {
      if (auto why = core.admit_settle(*j->state, how)) return why;
      if (!how.reason.empty()) core.log_settle(*j->state, how.how, how.reason);
    }
    const auto ticket = core.next_ticket();
    to.identify(ticket, CORBEL_SOURCE_QUEUE);
    give_ticket(t, to.has_queue() ? ticket : 0);
    if (overtaken)
      to.succeed(CORBEL_EVENT_DONE, 0, nullptr);
    else
      core.start_settle(j->state, std::move(how), options, make_operation<bool>(std::move(to), end_as_flag), ticket);
    return {};
  });
}

corbel_status corbel_messages_settle(corbel_message *const *all, size_t count, const corbel_settle *s, const corbel_call *c,
                                     corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!all || count == 0 || std::find(all, all + count, nullptr) != all + count)
      return invalid("no messages, or one of them is NULL: give at least one");
    settle_request how(settle::done);
    completion to;
    call options;
    if (auto why = read_settle(s, how)) return why;
    if (auto why = completion::read(c, 0, to, options)) return why;
    for (size_t i = 0; i < count; ++i)
      if (all[i]->state->is_settled_by_caller())
        return error(status::state, fmt::format("message '{}' was settled before", all[i]->state->claimed->id), "queue");
    std::shared_ptr<shared_end> end;
    for (size_t i = 0; i < count; ++i) {
      const auto &m = all[i]->state;
      const bool overtaken = m->overtaken();
      auto why = overtaken ? error() : m->core->admit_settle(*m, how);
      if (why && !end) return why;
      if (!end) {
        const auto ticket = to.has_queue() ? m->core->next_ticket() : 0;
        to.identify(ticket, CORBEL_SOURCE_QUEUE);
        give_ticket(t, ticket);
        end = std::make_shared<shared_end>(std::move(to));  // NOLINT(bugprone-use-after-move): once
      }
      if (why || overtaken)
        end->ended(why ? result<bool>(why) : result<bool>(false));
      else
        m->core->start_settle(m, how, options, detail::operation_ptr<bool>(new one_of_many(end)));
    }
    return {};
  });
}

void corbel_message_free(corbel_message *j) {
  if (!j) return;
  auto core = j->state->core;
  if (core->forked()) return detail::leave_to_parent(std::move(core));
  core->drop(std::move(j->state));
  delete j;
}

void corbel_messages_free(corbel_message *const *all, size_t count) {
  for (size_t i = 0; all && i < count; ++i) corbel_message_free(all[i]);
}
