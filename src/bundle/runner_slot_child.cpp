/// What a handler process says, and how it ends.

#include "bundle/loader_core.hpp"
#include "bundle/runner_slot.hpp"

#include <fmt/format.h>

namespace corbel::detail {

namespace {

using clock = child_plan::clock;

std::string how_ended(int status) {
  if (status == -1000) return "the handler ended";
  return status < 0 ? fmt::format("the handler was ended by signal {}", -status)
                    : fmt::format("the handler ended with exit status {}", status);
}

}  // namespace

void runner_slot::line(number child, std::string_view text) {
  const auto at = children_.find(child);
  if (at == children_.end() || at->second.fault) return;
  auto &c = at->second;
  const auto &manifest = versions_.at(c.version).manifest;
  auto read = read_child_line(text, manifest.most_line);
  if (!read) return fault(child, read.error());
  if (read->what == child_line::kind::ready) return apply(plan_.ready(child, clock::now()));
  const auto given = c.given.find(read->id);
  if (given == c.given.end())
    return fault(child,
                 error(status::protocol, fmt::format("the handler answers request {}, which it does not have", read->id),
                       "bundle", "LINE", error::maybe_applied));
  given->second += text.size();
  if (given->second > manifest.most_output)
    return fault(child, error(status::protocol,
                              fmt::format("the handler wrote more than {} bytes for one request (limits.output)",
                                          manifest.most_output),
                              "bundle", "OUTPUT", error::maybe_applied));
  if (!read->economics.empty()) tell_economics(read->economics);
  if (read->what == child_line::kind::economics) return;
  const auto wanted = requests_.find(read->id);
  if (read->what == child_line::kind::event) {
    // A copy: what it calls may end the request.
    if (wanted == requests_.end() || !wanted->second->event) return;
    const auto tell = wanted->second->event;
    try {
      return tell(read->json);
    } catch (const std::exception &x) {
      if (const auto owner = owner_.lock())
        owner->runtime().log(log_level::error, "handlers", fmt::format("the function that gets events threw: {}", x.what()));
      return;
    }
  }
  c.given.erase(given);
  const auto keep = shared_from_this();
  const auto commit = versions_.at(c.version).pin->commit;
  child_plan::actions next;
  plan_.answered(child, read->id, clock::now(), next);
  if (read->what == child_line::kind::failed)
    finish(read->id, read->why);
  else
    finish(read->id, bundle_answer{std::move(read->json), commit});
  apply(std::move(next));
}

void runner_slot::tell_economics(const std::string &economics) {
  const auto owner = owner_.lock();
  if (!owner || !owner->options().economics) return;
  try {
    owner->options().economics(id_, economics);
  } catch (const std::exception &x) {
    owner->runtime().log(log_level::error, "handlers", fmt::format("the function that gets economics threw: {}", x.what()));
  }
}

void runner_slot::error_line(number child, std::string_view text) {
  const auto at = children_.find(child);
  const auto owner = owner_.lock();
  if (at == children_.end() || !owner || text.empty()) return;
  auto &c = at->second;
  c.last_words.assign(text.substr(0, 500));
  std::uint64_t left_out = 0;
  if (!c.quota.may(clock::now(), left_out)) return;
  std::vector<log_field> fields{{"bundle_id", id_}, {"handler", std::to_string(c.program ? c.program->pid() : 0)}};
  if (left_out != 0) fields.push_back({"left_out", std::to_string(left_out)});
  owner->runtime().log(log_level::info, "handlers", std::string(text), std::move(fields));
}

void runner_slot::fault(number child, error why) {
  const auto at = children_.find(child);
  if (at == children_.end()) return;
  if (!at->second.fault) at->second.fault = std::move(why);
  if (at->second.program) at->second.program->end();
}

void runner_slot::ended(number child, int status, std::size_t rest) {
  const auto at = children_.find(child);
  const auto owner = owner_.lock();
  if (at == children_.end() || !owner) return;
  const auto keep = shared_from_this();
  const auto c = std::move(at->second);
  children_.erase(at);
  auto why = c.fault;
  if (!why) {
    auto text = how_ended(status);
    if (rest != 0) text += fmt::format(", in the middle of a line, {} bytes of it written", rest);
    if (!c.last_words.empty()) text += ", last on standard error: " + c.last_words;
    why = error(corbel::status::lost, text, "bundle", "DIED", error::retriable | error::maybe_applied);
  }
  const bool was_told = !c.fault && status == 0 && c.given.empty() && rest == 0;
  if (!was_told) {
    ++status_.deaths;
    owner->runtime().log(log_level::warning, "handlers", fmt::format("bundle '{}': {}", id_, why.message()),
                         {{"bundle_id", id_}, {"handler", std::to_string(c.program->pid())}});
  }
  apply(plan_.ended(child, why, clock::now()));
}

}  // namespace corbel::detail
