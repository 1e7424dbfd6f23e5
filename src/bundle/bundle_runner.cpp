#include "bundle/runner_core.hpp"
#include "json/writer.hpp"

#include <corbel/bundle_runner.hpp>

namespace corbel {

bundle_runner::bundle_runner(const bundles &loader, bundle_runner_options options)
    : core_(detail::runner_core::open(loader.core(), std::move(options))) {}
bundle_runner::~bundle_runner() {
  if (core_) core_->close();
}
bundle_runner::bundle_runner(bundle_runner &&) noexcept = default;
bundle_runner &bundle_runner::operator=(bundle_runner &&o) noexcept {
  std::swap(core_, o.core_);
  return *this;
}

std::vector<bundle_runner_status> bundle_runner::status() const {
  if (core_->runtime().forked()) return {};  // its lock may be held by a thread that is not here
  return core_->status();
}

void bundle_runner::start_run(const core_ptr &core, bundle_request request, event_function on_event, call c,
                              detail::operation_ptr<bundle_answer> op) {
  core->run(std::move(request), std::move(on_event), c, std::move(op));
}

detail::io_executor bundle_runner::executor() const { return core_->executor(); }

std::string bundle_runner_json(const std::vector<bundle_runner_status> &all) {
  std::string out;
  json_writer w(out);
  w.begin_object().key("handlers").begin_object();
  for (const auto &s : all) {
    w.key(s.id).begin_object().key("commit").text_or_null(s.commit).member("handlers", s.handlers);
    w.member("in_hand", s.in_hand).member("waiting", s.waiting).member("answered", s.answered).member("failed", s.failed);
    w.member("starts", s.starts).member("deaths", s.deaths).key("error").text_or_null(s.error).end_object();
  }
  w.end_object().end_object();
  return out;
}

}  // namespace corbel
