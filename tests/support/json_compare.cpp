#include "support/json_compare.hpp"

#include "json/writer.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace corbel::test {

namespace {

std::string json_text(const json_value &v) {
  std::string out;
  json_writer(out).value(v);
  return out;
}

std::string unlike(const json_value &expected, const json_value &actual) {
  return fmt::format("{}: expected {}, found {}\n", expected.path(), json_text(expected), json_text(actual));
}

}  // namespace

std::string json_difference(const json_value &expected, const json_value &actual) {
  if (auto wanted = expected.object()) {
    auto there = actual.object();
    if (!there) return unlike(expected, actual);
    std::string all;
    bool exactly = false;
    std::size_t named = 0;
    for (auto &[name, value] : wanted->members()) {
      if (name == "exactly") {
        exactly = true;
        continue;
      }
      ++named;
      bool found = false;
      for (auto &[other, found_value] : there->members())
        if (other == name) {
          found = true;
          all += json_difference(value, found_value);
        }
      if (!found) all += fmt::format("{}: is not there\n", value.path());
    }
    if (exactly && there->members().size() != named)
      all += fmt::format("{}: has {} members, {} expected: {}\n", expected.path(), there->members().size(), named,
                         json_text(actual));
    return all;
  }
  if (auto wanted = expected.array()) {
    auto there = actual.array();
    if (!there || there->size() != wanted->size()) return unlike(expected, actual);
    std::string all;
    for (std::size_t i = 0; i < wanted->size(); ++i) all += json_difference((*wanted)[i], (*there)[i]);
    return all;
  }
  if (auto wanted = expected.number()) {
    auto there = actual.number();
    return there && *there == *wanted ? std::string() : unlike(expected, actual);
  }
  return json_text(expected) == json_text(actual) ? std::string() : unlike(expected, actual);
}

std::string file_text(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE_MESSAGE(in, "cannot read " << path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace corbel::test
