#include "host/check.hpp"

#include <corbel/pools.hpp>

#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <optional>

namespace corbel {

int check_budget(const host_kind &kind, const host_options &options) {
  auto quiet = options.runtime(kind.name);
  quiet.log_stdout = false;
  runtime rt(std::move(quiet));
  int status = 1;
  {
    pools all(rt, options.settings());
    std::optional<pg_pool> postgres;
    if (options.has_postgres) postgres.emplace(all.postgres());
    auto asked =
        all.async_budget({.instances = options.instances, .workers = options.workers, .others = {}}, boost::asio::use_future)
            .get();
    if (!asked) {
      std::fprintf(stderr, "corbel-%s: %s\n", kind.name.c_str(), asked.error().message().c_str());
    } else {
      std::fputs(budget_table(*asked).c_str(), stdout);
      const bool unknown = asked->redis.level == budget_level::unknown ||
                           (options.has_postgres && asked->postgres.level == budget_level::unknown);
      status = asked->is_over() || unknown ? 1 : 0;
    }
  }
  (void)rt.shutdown(std::chrono::seconds(2));
  return status;
}

}  // namespace corbel
