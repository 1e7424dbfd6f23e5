#include "host/start.hpp"

#include "host/check.hpp"
#include "host/supervisor.hpp"

#include <cstdio>
#include <exception>

namespace corbel {

int start_host(const host_kind &kind, int argc, char **argv, int (*serve)(host_options)) {
  auto read = read_host_options(kind, argc, argv);
  if (auto *status = std::get_if<int>(&read)) return *status;
  auto &options = std::get<host_options>(read);
  try {
    switch (options.what) {
      case host_options::task::print_table:
        std::fputs(settings_table(options.settings()).c_str(), stdout);
        return 0;
      case host_options::task::print_json:
        std::puts(settings_json(options.settings()).c_str());
        return 0;
      case host_options::task::check:
        return check_budget(kind, options);
      case host_options::task::serve:
        break;
    }
    if (options.workers > 1 && !is_worker())
      return supervise({.workers = options.workers,
                        .name = kind.name,
                        .instance = options.settings().instance_id,
                        .level = options.level,
                        .drain_timeout = options.drain_timeout},
                       argv);
    return serve(std::move(options));
  } catch (const std::exception &e) {
    std::fprintf(stderr, "corbel-%s: %s\n", kind.name.c_str(), e.what());
    return 2;
  }
}

}  // namespace corbel
