// The platform's own vectors: documents with the values that it computes from them.
#include "json/document.hpp"
#include "json/writer.hpp"
#include "support/json_compare.hpp"

#include <corbel/config.hpp>

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;

namespace {

/// settings_json in the vectors' form: roles directly under rate_limits.
std::string as_effective(const gateway_settings &s) {
  auto document = json_document::parse(settings_json(s));
  REQUIRE(document);
  std::string out;
  json_writer w(out);
  w.begin_object();
  for (auto &[name, value] : document->root().object()->members())
    name == "rate_limits" ? w.key(name).value(*value.object()->find("roles")) : w.key(name).value(value);
  w.end_object();
  return out;
}

}  // namespace

TEST_CASE("every document of the platform's vectors gives the values beside it") {
  const auto text = file_text(CORBEL_SOURCE_DIR "/../shared/vectors/gateway_config.json");
  auto file = json_document::parse(text);
  REQUIRE(file);
  auto vectors = file->root().object()->array("vectors");
  REQUIRE(vectors);
  REQUIRE(vectors->size() == 42);
  for (auto &v : *vectors) {
    auto vector = *v.object();
    std::string name(*vector.text("name")), document;
    CAPTURE(name);
    json_writer(document).value(*vector.find("gateway_config_json"));
    auto read = read_gateway(document, {.component = std::string(*vector.text("component"))});
    REQUIRE_MESSAGE(read, read.why().message());
    const auto effective = as_effective(read.settings);
    auto actual = json_document::parse(effective);
    REQUIRE(actual);
    auto expected = *vector.find("effective");
    CHECK(json_difference(expected, actual->root()) == "");
    // No role that the platform does not have.
    CHECK(read.settings.rate_limits.size() == expected.object()->object("rate_limits")->members().size());
    // What is written as a document reads as the same settings.
    auto again = read_gateway(settings_document(read.settings), {.component = read.settings.component});
    REQUIRE_MESSAGE(again, again.why().message());
    CHECK(settings_changes(read.settings, again.settings).empty());
  }
}
