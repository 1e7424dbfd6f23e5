// The gateway document from where the environment says that it is.
#include "base/code_point.hpp"
#include "config/stamp.hpp"
#include "config/yaml.hpp"

#include <corbel/gateway.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace corbel {

environment process_environment() {
  return [](const std::string &name) -> std::optional<std::string> {
    const char *value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

namespace {

/// 0, or why the file cannot be read. What is longer than any document is cut where its reader refuses it.
int read_whole(const std::string &path, std::string &out) {
  constexpr std::size_t most = std::size_t{2} << 20;
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) return errno;
  char part[16384];
  while (out.size() < most) {
    errno = 0;
    const auto n = std::fread(part, 1, sizeof part, file.get());
    out.append(part, n);
    if (n < sizeof part) return std::ferror(file.get()) ? errno : 0;
  }
  return 0;
}

class loader {
 public:
  loader(const environment &variables, std::string component) : variables_(variables) {
    context_.component = component.empty() ? given("GATEWAY_COMPONENT").value_or("") : std::move(component);
    context_.redis_url = redis_url_from(variables, around_);
    if (auto v = given("INSTANCE_ID")) context_.instance_id = {*v, "INSTANCE_ID"};
    first_of({"TENANT_ID"}, context_.tenant);
    first_of({"DEFAULT_PROJECT_NAME", "PROJECT_ID"}, context_.project);
  }

  gateway_load load() && {
    gateway_load out;
    const auto preset = given("GATEWAY_PRESET");
    if (preset && preset_replaces_document(*preset)) {
      read_preset_alone(*preset);
    } else {
      read_first_source();
      if (preset) apply_preset(reading_, *preset);
    }
    out.forced = read_force();
    reading_.faults.insert(reading_.faults.end(), around_.begin(), around_.end());
    for (auto &w : warnings_) reading_.warnings.push_back({"", w});
    const auto &s = reading_.settings;
    if (reading_.faults.empty())
      out.document = json_.empty() || preset ? settings_document(s)
                                             : detail::stamped_document(json_, context_.rooted, s.tenant, s.project);
    out.reading = std::move(reading_);
    return out;
  }

 private:
  std::optional<std::string> given(const char *name) const {
    auto v = variables_(name);
    return v && !v->empty() ? v : std::nullopt;
  }
  void first_of(std::initializer_list<const char *> names, gateway_context::value &into) const {
    for (auto name : names)
      if (auto v = given(name)) {
        into = {*v, name};
        return;
      }
  }

  void read_preset_alone(const std::string &preset) {
    context_.source = "GATEWAY_PRESET";
    reading_ = read_gateway("{}", context_);
    apply_preset(reading_, preset);
    for (auto name : {"GATEWAY_CONFIG_JSON", "GATEWAY_YAML_PATH"})
      if (given(name))
        warnings_.push_back(fmt::format("{}: not read, because GATEWAY_PRESET={} takes its place", name, preset));
  }

  void read_first_source() {
    if (auto json = given("GATEWAY_CONFIG_JSON")) {
      context_.source = "GATEWAY_CONFIG_JSON";
      json_ = *json;
      reading_ = read_gateway(json_, context_);
    } else if (auto path = given("GATEWAY_YAML_PATH")) {
      read_file(*path, true);
    } else if (auto folder = given("PLATFORM_DESCRIPTORS_DIR"); !folder || !read_file(*folder + "/gateway.yaml", false)) {
      read_defaults();
    }
  }

  /// False when there is no file and none has to be.
  bool read_file(const std::string &path, bool required) {
    context_.source = detail::one_line(path);
    std::string text;
    if (const int why = read_whole(path, text)) {
      if (!required && why == ENOENT) {
        warnings_.push_back(fmt::format("{} does not exist: defaults are used", context_.source));
        return false;
      }
      reading_.source = context_.source;
      reading_.faults.push_back({"", fmt::format("a file that cannot be read ({})", std::strerror(why)), "a YAML file"});
      return true;
    }
    reading_ = read_gateway_yaml(text, context_);
    context_.rooted = true;
    if (reading_) json_ = detail::yaml_to_json(text).value();
    return true;
  }

  void read_defaults() {
    context_.source = "defaults";
    std::optional<double> average;
    if (auto text = given("AVG_PROCESSING_TIME_SECONDS")) {
      char *end = nullptr;
      const double n = std::strtod(text->c_str(), &end);
      if (*end == '\0' && end != text->c_str())
        average = n;
      else
        around_.push_back({"AVG_PROCESSING_TIME_SECONDS", fmt::format("\"{}\"", text->substr(0, 60)), "a number"});
    }
    reading_ = gateway_defaults(context_, given("GATEWAY_PROFILE").value_or("development"), average);
  }

  bool read_force() {
    auto text = given("GATEWAY_CONFIG_FORCE_ENV_ON_STARTUP");
    if (!text) return false;
    std::string word;
    for (char c : *text) word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (auto yes : {"1", "true", "yes", "y", "on"})
      if (word == yes) return true;
    for (auto no : {"0", "false", "no", "n", "off"})
      if (word == no) return false;
    around_.push_back({"GATEWAY_CONFIG_FORCE_ENV_ON_STARTUP", fmt::format("\"{}\"", text->substr(0, 60)),
                       "1, true, yes, y, on, or 0, false, no, n, off"});
    return false;
  }

  const environment &variables_;
  gateway_context context_;
  gateway_reading reading_;
  std::vector<gateway_fault> around_;  // of what stands around the document
  std::vector<std::string> warnings_;
  std::string json_;  // the document as it was found, empty for none
};

}  // namespace

gateway_load load_gateway(const environment &variables, std::string component) {
  return loader(variables, std::move(component)).load();
}

std::string gateway_copy_key(const gateway_settings &s) {
  return fmt::format("{}:{}:kdcube:config:gateway:current", s.tenant, s.project);
}

std::string gateway_update_channel(const gateway_settings &s) {
  return fmt::format("{}:{}:kdcube:config:gateway:update", s.tenant, s.project);
}

}  // namespace corbel
