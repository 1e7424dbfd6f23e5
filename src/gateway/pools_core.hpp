#pragma once
/// Owns: the pools of one process and what the settings say of them. Callers: pools, the C API. Thread: any; a lock guards
/// the settings and the opening of PostgreSQL's pool.

#include "runtime/runtime_core.hpp"

#include <corbel/pools.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace corbel::detail {

class pools_core : public std::enable_shared_from_this<pools_core> {
 public:
  using settings_ptr = std::shared_ptr<const gateway_settings>;

  pools_core(runtime &host, const gateway_settings &settings, pools_options options);
  ~pools_core();

  redis_pool redis(std::string_view kind) const;
  pg_pool postgres();
  result<void> apply(const gateway_settings &settings);
  void follow(gateway_config &config);
  settings_ptr settings() const;
  void budget(budget_request request, call c, operation_ptr<connection_budget> op);
  std::string json() const;
  io_executor executor() const { return redis_.front().executor(); }
  runtime_core &rt() noexcept { return *runtime_.core(); }

 private:
  void judge(connection_budget &b);
  budget_verdict judged_before(bool postgres) const;
  std::optional<pg_pool> opened_postgres() const;

  runtime runtime_;  // shares the host's
  const pools_options options_;
  const std::vector<const char *> kinds_;
  std::vector<redis_pool> redis_;
  std::uint64_t metrics_source_ = 0;

  mutable std::mutex mutex_;
  settings_ptr settings_;
  std::optional<pg_pool> postgres_;
  std::optional<connection_budget> last_budget_;
};

}  // namespace corbel::detail
