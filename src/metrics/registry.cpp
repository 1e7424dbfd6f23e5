#include "metrics/registry.hpp"

#include <vector>

namespace corbel::detail {

std::uint64_t metrics_registry::add_source(source_function source) {
  auto shared = std::make_shared<const source_function>(std::move(source));
  std::lock_guard lock(mutex_);
  sources_.emplace(++last_id_, std::move(shared));
  return last_id_;
}

void metrics_registry::remove_source(std::uint64_t id) {
  std::shared_ptr<const source_function> removed;  // ends outside the lock
  std::lock_guard lock(mutex_);
  auto it = sources_.find(id);
  if (it == sources_.end()) return;
  removed = std::move(it->second);
  sources_.erase(it);
}

void metrics_registry::collect(metrics_writer &writer) const {
  std::vector<std::shared_ptr<const source_function>> sources;
  {
    std::lock_guard lock(mutex_);
    for (auto &[id, source] : sources_) sources.push_back(source);
  }
  for (auto &source : sources) {
    try {
      (*source)(writer);
    } catch (...) {
      writer.refuse();  // one part's failure must not hide the others' metrics
    }
  }
}

std::string metrics_registry::text() const {
  metrics_writer writer;
  collect(writer);
  return writer.text();
}

std::vector<metric_family> metrics_registry::families() const {
  metrics_writer writer;
  collect(writer);
  return writer.all();
}

}  // namespace corbel::detail
