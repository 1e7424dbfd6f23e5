#include "capi/config.hpp"

#include "base/json_string.hpp"
#include "capi/guard.hpp"

#include <string_view>

using namespace corbel;
using namespace corbel::capi;

namespace {

error hand_out(gateway_load load, corbel_config **out) {
  if (auto why = load.reading.why()) return why;
  *out = new corbel_config{std::make_shared<const gateway_load>(std::move(load))};
  return {};
}

}  // namespace

corbel_status corbel_config_parse(const char *json, size_t size, const char *component, corbel_config **out,
                                  corbel_error **err) {
  return guard(err, [&]() -> error {
    if ((!json && size != 0) || !out) return invalid("the document or the out-parameter is NULL");
    gateway_load load;
    load.reading =
        read_gateway(json ? std::string_view(json, size) : std::string_view(), {.component = text_or(component, "ingress")});
    if (load.reading) load.document = settings_document(load.reading.settings);
    return hand_out(std::move(load), out);
  });
}

corbel_status corbel_config_from_env(const char *component, corbel_config **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!out) return invalid("the out-parameter is NULL");
    return hand_out(load_gateway(process_environment(), text_or(component, "")), out);
  });
}

corbel_status corbel_config_json(const corbel_config *c, corbel_text **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!c || !out) return invalid("the configuration or the out-parameter is NULL");
    auto json = settings_json(c->settings());
    json.back() = ',';
    json += " \"warnings\": [";
    for (auto &w : c->load->reading.warnings) {
      if (json.back() != '[') json += ", ";
      detail::append_json_string(json, w.text());
    }
    *out = new corbel_text{json + "]}"};
    return {};
  });
}

corbel_status corbel_config_table(const corbel_config *c, corbel_text **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!c || !out) return invalid("the configuration or the out-parameter is NULL");
    *out = new corbel_text{settings_table(c->settings())};
    return {};
  });
}

void corbel_config_free(corbel_config *c) { delete c; }
