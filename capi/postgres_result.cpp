#include "capi/postgres.hpp"

using namespace corbel;
using namespace corbel::capi;

size_t corbel_pg_result_rows(const corbel_pg_result *r) { return r ? r->value.rows() : 0; }

size_t corbel_pg_result_columns(const corbel_pg_result *r) { return r ? r->value.columns() : 0; }

const char *corbel_pg_result_name(const corbel_pg_result *r, size_t column) { return r ? r->value.name(column) : ""; }

uint32_t corbel_pg_result_type(const corbel_pg_result *r, size_t column) { return r ? r->value.type(column) : 0; }

int32_t corbel_pg_result_format(const corbel_pg_result *r, size_t column) { return r && r->value.is_binary(column) ? 1 : 0; }

const char *corbel_pg_result_tag(const corbel_pg_result *r) { return r ? r->value.tag() : ""; }

uint64_t corbel_pg_result_affected(const corbel_pg_result *r) { return r ? r->value.affected() : 0; }

corbel_status corbel_pg_result_value(const corbel_pg_result *r, size_t row, size_t column, corbel_bytes *out) {
  if (!r || !out || row >= r->value.rows() || column >= r->value.columns()) return CORBEL_INVALID;
  const auto f = r->value.field(row, column);
  *out = f.is_null ? corbel_bytes{nullptr, 0} : corbel_bytes{f.bytes.data(), f.bytes.size()};
  return CORBEL_OK;
}

corbel_status corbel_pg_result_packed(corbel_pg_result *r, corbel_bytes *out) {
  return guard(nullptr, [&]() -> error {
    if (!r || !out) return invalid("the result or the out-parameter is NULL");
    if (r->packed.empty()) r->packed = pack(r->value);
    *out = {r->packed.data(), r->packed.size()};
    return {};
  });
}

void corbel_pg_result_free(corbel_pg_result *r) { delete r; }
