#pragma once
/// What the platform's operators may change of bundles: the registry, settings, what is kept. Thread: the server's executor.
/// body: of the request. Throws failure for a member of the wrong kind.

#include "json/writer.hpp"
#include "operations/bundle_admin_routes.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace corbel::detail {

using operator_answer = boost::asio::awaitable<http_response>;

operator_answer update_registry(const bundle_admin_routes &r, const json_object &body);
operator_answer reload_registry(const bundle_admin_routes &r, const json_object &body);
operator_answer clean_up_bundles(const bundle_admin_routes &r, const json_object &body);
/// body: none to show them.
operator_answer bundle_props(const bundle_admin_routes &r, const std::string &id, const json_object *body);

/// "authority": {"kind", "label", "description", "detail"}.
void write_authority(json_writer &w, const bundle_admin_routes &r);
const bundle_entry *entry_of(const bundle_registry &all, std::string_view id);

}  // namespace corbel::detail
