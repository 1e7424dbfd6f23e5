#include "redis/wanted.hpp"

#include <algorithm>
#include <utility>

namespace corbel::detail {

namespace {
constexpr std::size_t at(name_kind k) { return static_cast<std::size_t>(k); }
}  // namespace

void wanted_names::set_phase(name_state &s, phase p) noexcept {
  auto unsettled = [](phase x) { return x == phase::joining || x == phase::leaving; };
  if (unsettled(s.now)) --unsettled_;
  if (unsettled(p)) ++unsettled_;
  if (p != phase::joining && std::exchange(s.restoring, false)) --restoring_;
  s.now = p;
}

void wanted_names::ask(name_kind kind, names::iterator it, actions &out) {
  auto &s = it->second;
  if (!online_) return;
  if (s.wanted() && s.now == phase::off) {
    set_phase(s, phase::joining);
    out.subscribe[at(kind)].push_back(it->first);
  } else if (!s.wanted() && s.now == phase::on) {
    set_phase(s, phase::leaving);
    out.unsubscribe[at(kind)].push_back(it->first);
  }
}

void wanted_names::erase_if_unused(name_kind kind, names::iterator it) {
  if (!it->second.wanted() && it->second.now == phase::off) names_[at(kind)].erase(it);
}

wanted_names::actions wanted_names::want(reader_id reader, name_kind kind, std::string_view name, call_id call) {
  actions out;
  auto it = names_[at(kind)].try_emplace(std::string(name)).first;
  auto &s = it->second;
  if (!s.wanted()) ++wanted_;
  ++s.readers[reader];
  by_reader_[reader].emplace(kind, name);
  if (s.now == phase::on) {
    out.unneeded.push_back(call);
  } else {
    s.joiners.emplace_back(call, reader);
    by_call_.emplace(call, place(kind, name));
    ask(kind, it, out);
  }
  return out;
}

void wanted_names::drop_reader(name_kind kind, names::iterator it, reader_id reader, bool all, actions &out) {
  auto &s = it->second;
  auto r = s.readers.find(reader);
  if (r == s.readers.end()) return;
  if (all || --r->second == 0) {
    s.readers.erase(r);
    if (auto mine = by_reader_.find(reader); mine != by_reader_.end()) {
      mine->second.erase(place(kind, it->first));
      if (mine->second.empty()) by_reader_.erase(mine);
    }
  }
  if (!s.wanted()) {
    --wanted_;
    ask(kind, it, out);
  }
}

wanted_names::actions wanted_names::leave(reader_id reader, name_kind kind, std::string_view name, call_id call) {
  actions out;
  auto it = names_[at(kind)].find(name);
  if (it == names_[at(kind)].end() || !it->second.readers.contains(reader)) {
    out.unneeded.push_back(call);
    return out;
  }
  auto &s = it->second;
  drop_reader(kind, it, reader, false, out);
  // A join that has no want left ends with this leave: it was never confirmed.
  auto left = s.readers.find(reader);
  end_joins(s, reader, left == s.readers.end() ? 0 : left->second, out);
  if (!s.wanted() && (s.now == phase::leaving || s.now == phase::joining))
    s.leavers.push_back(call);
  else
    out.unneeded.push_back(call);
  erase_if_unused(kind, it);
  check_all_confirmed(out);
  return out;
}

void wanted_names::end_joins(name_state &s, reader_id reader, std::size_t keep, actions &out) {
  auto waiting = static_cast<std::size_t>(
      std::count_if(s.joiners.begin(), s.joiners.end(), [&](auto &j) { return j.second == reader; }));
  std::erase_if(s.joiners, [&](auto &j) {
    if (j.second != reader || waiting <= keep) return false;
    --waiting;
    out.unneeded.push_back(j.first);
    by_call_.erase(j.first);
    return true;
  });
}

wanted_names::actions wanted_names::give_up(call_id call) {
  actions out;
  auto where = by_call_.find(call);
  if (where == by_call_.end()) return out;
  const auto [kind, name] = where->second;
  by_call_.erase(where);
  auto it = names_[at(kind)].find(name);
  auto &s = it->second;
  auto j = std::find_if(s.joiners.begin(), s.joiners.end(), [&](auto &x) { return x.first == call; });
  const auto reader = j->second;
  s.joiners.erase(j);
  drop_reader(kind, it, reader, false, out);
  erase_if_unused(kind, it);
  check_all_confirmed(out);
  return out;
}

wanted_names::actions wanted_names::forget(reader_id reader) {
  actions out;
  auto mine = by_reader_.find(reader);
  if (mine == by_reader_.end()) return out;
  const auto places = mine->second;
  for (auto &[kind, name] : places) {
    auto it = names_[at(kind)].find(name);
    end_joins(it->second, reader, 0, out);
    drop_reader(kind, it, reader, true, out);
    erase_if_unused(kind, it);
  }
  check_all_confirmed(out);
  return out;
}

wanted_names::actions wanted_names::connected() {
  actions out;
  online_ = true;
  tell_restored_ = wanted_ != 0;
  for (auto &all : names_)
    for (auto &[name, s] : all)
      if (s.wanted()) {
        s.restoring = true;
        ++restoring_;
      }
  for (auto kind : {name_kind::channel, name_kind::pattern})
    for (auto it = names_[at(kind)].begin(); it != names_[at(kind)].end(); ++it) ask(kind, it, out);
  return out;
}

wanted_names::actions wanted_names::lost() {
  actions out;
  online_ = tell_restored_ = false;
  for (auto kind : {name_kind::channel, name_kind::pattern})
    for (auto it = names_[at(kind)].begin(); it != names_[at(kind)].end();) {
      auto here = it++;
      set_phase(here->second, phase::off);
      for (auto call : here->second.leavers) out.unneeded.push_back(call);
      here->second.leavers.clear();
      erase_if_unused(kind, here);
    }
  return out;
}

wanted_names::actions wanted_names::confirmed(name_kind kind, std::string_view name, bool subscribed) {
  actions out;
  auto it = names_[at(kind)].find(name);
  if (it == names_[at(kind)].end()) return out;
  auto &s = it->second;
  if (subscribed && s.now == phase::joining) {
    set_phase(s, phase::on);
    for (auto &[call, reader] : s.joiners) {
      out.confirmed.push_back(call);
      by_call_.erase(call);
    }
    s.joiners.clear();
    if (s.wanted()) {  // wanted again meanwhile: those who left need not wait
      out.unneeded.insert(out.unneeded.end(), s.leavers.begin(), s.leavers.end());
      s.leavers.clear();
    }
  } else if (!subscribed && s.now == phase::leaving) {
    set_phase(s, phase::off);
    for (auto call : s.leavers) out.confirmed.push_back(call);
    s.leavers.clear();
  } else {
    return out;
  }
  ask(kind, it, out);
  erase_if_unused(kind, it);
  check_all_confirmed(out);
  return out;
}

wanted_names::actions wanted_names::refused(name_kind kind, std::string_view name) {
  actions out;
  auto it = names_[at(kind)].find(name);
  if (it == names_[at(kind)].end() || it->second.now != phase::joining) return out;
  auto &s = it->second;
  set_phase(s, phase::off);
  for (auto &[call, reader] : std::exchange(s.joiners, {})) {
    out.refused.push_back(call);
    by_call_.erase(call);
    drop_reader(kind, it, reader, false, out);
  }
  out.unneeded.insert(out.unneeded.end(), s.leavers.begin(), s.leavers.end());
  s.leavers.clear();
  erase_if_unused(kind, it);
  check_all_confirmed(out);
  return out;
}

void wanted_names::check_all_confirmed(actions &out) {
  if (!tell_restored_ || restoring_ != 0) return;
  tell_restored_ = false;
  out.all_confirmed = true;
}

const std::map<wanted_names::reader_id, std::uint32_t> *wanted_names::readers(name_kind kind, std::string_view name) const {
  auto it = names_[at(kind)].find(name);
  return it == names_[at(kind)].end() ? nullptr : &it->second.readers;
}

}  // namespace corbel::detail
