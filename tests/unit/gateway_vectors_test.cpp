// Our own vectors: tests/unit/gateway_vectors/*.json. Each has a name, a document (or its text), perhaps a component and a
// context; and what must come of it: `effective` values and `origins` (those named), or all `faults`, and `warnings` (those
// named; [] says that there is none).
#include "json/document.hpp"
#include "json/writer.hpp"
#include "support/json_compare.hpp"

#include <corbel/config.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>

using namespace corbel;
using namespace corbel::test;

namespace {

std::string written(const json_value &v) {
  std::string out;
  json_writer(out).value(v);
  return out;
}

gateway_reading read(const json_object &vector) {
  gateway_context c;
  c.component = std::string(*vector.text("component", "ingress"));
  c.update = *vector.boolean("update", false);
  if (auto scope = vector.find("context")) {
    auto o = *scope->object();
    c.tenant = {std::string(*o.text("tenant", "home")), std::string(*o.text("tenant_origin", ""))};
    c.project = {std::string(*o.text("project", "default-project")), ""};
    if (auto v = o.find("instance_id")) c.instance_id = {std::string(*v->text()), "INSTANCE_ID"};
    if (auto v = o.find("redis_url")) c.redis_url = {std::string(*v->text()), "REDIS_URL"};
  }
  if (auto yaml = vector.find("yaml")) return read_gateway_yaml(*yaml->text(), c);
  if (auto text = vector.find("text")) return read_gateway(*text->text(), c);
  return read_gateway(written(*vector.find("document")), c);
}

template <class List>
std::string texts(const List &list) {
  std::string all;
  for (auto &entry : list) all += entry.text() + "\n";
  return all;
}

}  // namespace

TEST_CASE("our vectors") {
  std::size_t count = 0;
  std::set<std::string> names;
  for (auto &entry : std::filesystem::directory_iterator(CORBEL_SOURCE_DIR "/tests/unit/gateway_vectors")) {
    const auto text = file_text(entry.path().string());
    auto file = json_document::parse(text);
    REQUIRE_MESSAGE(file, entry.path().string() << ": " << file.error().message());
    const auto vectors = file->root().array().value();
    for (auto &v : vectors) {
      ++count;
      auto vector = *v.object();
      std::string name(*vector.text("name"));
      CAPTURE(name);
      REQUIRE(names.insert(name).second);
      const auto r = read(vector);
      if (auto faults = vector.find("faults")) {
        std::string expected;
        const auto list = faults->array().value();
        for (auto &f : list) expected += std::string(*f.text()) + "\n";
        CHECK(texts(r.faults) == expected);
        CHECK(r.why().is(status::invalid));
      } else {
        CHECK(texts(r.faults) == "");
        const auto json = settings_json(r.settings);
        auto actual = json_document::parse(json);
        REQUIRE(actual);
        if (auto e = vector.find("effective")) CHECK(json_difference(*e, actual->root()) == "");
        if (auto o = vector.find("origins"))
          for (auto &[path, origin] : o->object()->members()) {
            CAPTURE(path);
            CHECK(actual->root().object()->object("origins")->text(path, "none").value() == *origin.text());
          }
      }
      if (auto warnings = vector.find("warnings")) {
        const auto list = warnings->array().value();
        if (list.empty()) CHECK(texts(r.warnings) == "");
        for (auto &w : list) {
          const std::string line(*w.text());
          CAPTURE(line);
          const auto all = texts(r.warnings);
          CAPTURE(all);
          CHECK(("\n" + all).find("\n" + line + "\n") != std::string::npos);
        }
      }
    }
  }
  CHECK(count >= 40);
}
