#pragma once
/// Owns: the handles of the C API's PostgreSQL part, and its operations that end as events.

#include "capi/handles.hpp"
#include "postgres/pool_core.hpp"

#include <corbel/pg_pool.hpp>

#include <string>

struct corbel_pg {
  corbel::pg_pool value;
  corbel::detail::pg_pool_core &core() const noexcept { return *value.core(); }
};

struct corbel_pg_conn {
  corbel::pg_lease value;
};

struct corbel_pg_result {
  corbel::pg_result value;
  std::string packed;
};

namespace corbel::capi {

/// The C struct as a statement; INVALID when it cannot be one.
error read_statement(const corbel_pg_statement *s, pg_statement &out);

/// The pool of a lease, when it takes calls; else why not.
error pool_of(const corbel_pg_conn *k, std::shared_ptr<detail::pg_pool_core> &out);

/// A statement whose result is the object of CORBEL_EVENT_RESULT.
class result_request final : public detail::pg_request {
 public:
  result_request(pg_statement s, completion to) : pg_request(std::move(s)), to_(std::move(to)) { ticket = to_.ticket(); }

  void finish(result<pg_result> r) noexcept override {
    auto *object = r ? new (std::nothrow) corbel_pg_result{std::move(*r), {}} : nullptr;
    if (object)
      to_.succeed(CORBEL_EVENT_RESULT, 0, object);
    else
      to_.fail(CORBEL_EVENT_RESULT, r ? error::out_of_memory() : r.error());
    delete this;
  }

 private:
  completion to_;
};

/// The packed form of a result, see corbel_pg_result_packed.
std::string pack(const pg_result &r);

}  // namespace corbel::capi
