#pragma once
/// Both hosts as processes over a redis-server of their own, and a client that reads Server-Sent Events.

#include "json/document.hpp"
#include "live/http_wire.hpp"
#include "support/child_process.hpp"
#include "support/free_port.hpp"
#include "support/redis_server.hpp"
#include "support/temp_dir.hpp"
#include "support/until.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace corbel::test {

/// The folder of the hosts: CORBEL_BIN_DIR, else examples/hosts beside the folder of the tests.
inline std::filesystem::path host_binaries() {
  if (auto given = std::getenv("CORBEL_BIN_DIR")) return given;
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "examples/hosts";
}

class host {
 public:
  host(const std::string &name, const std::string &redis_url, std::vector<std::string> more = {},
       std::vector<std::string> variables = {})
      : port(free_port()), name_(name), more_(std::move(more)), variables_(std::move(variables)) {
    variables_.push_back("REDIS_URL=" + redis_url);
    variables_.push_back("INSTANCE_ID=" + name + "-1");
    start();
  }
  void start() {
    std::vector<std::string> arguments = {(host_binaries() / ("corbel-" + name_)).string(), "--address", "127.0.0.1",
                                          "--port", std::to_string(port)};
    arguments.insert(arguments.end(), more_.begin(), more_.end());
    process = child_process(arguments, dir_.file("log"), variables_);
    if (!until(std::chrono::seconds(20), [&] { return health() == 200; })) throw std::runtime_error("not healthy: " + log());
  }
  /// Status of GET /health; 0 when nobody answers.
  int health() const {
    try {
      return http_get(port, "/health").status;
    } catch (const std::exception &) {
      return 0;
    }
  }
  std::string log() const {
    std::ifstream file(dir_.file("log"));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::uint16_t port;
  child_process process;

 private:
  std::string name_;
  std::vector<std::string> more_, variables_;
  temp_dir dir_;
};

struct sse_event {
  std::string id, event, data;
};

/// One open stream.
class sse_client {
 public:
  sse_client(std::uint16_t port, const std::string &target, const std::string &fields = {}) : wire_(port) {
    wire_.send("GET " + target + " HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n");
    head = wire_.until("\r\n\r\n");
  }
  static sse_client of(std::uint16_t port, const std::string &session, const std::string &stream,
                       const std::string &last = {}) {
    return {port, "/sse/stream?user_session_id=" + session + "&stream_id=" + stream,
            last.empty() ? "" : "Last-Event-ID: " + last + "\r\n"};
  }

  /// The next block of lines, a comment or an event; an empty one when the stream has ended.
  std::string block() {
    for (;;) {
      if (auto at = text_.find("\n\n"); at != std::string::npos) {
        auto found = text_.substr(0, at + 1);
        text_.erase(0, at + 2);
        return found;
      }
      auto size = std::stoul(wire_.until("\r\n"), nullptr, 16);
      if (size == 0) return {};
      text_ += wire_.exactly(size);
      wire_.exactly(2);
    }
  }
  /// The next event; comments are passed over. One without a name when the stream has ended.
  sse_event next() {
    for (;;) {
      auto lines = block();
      if (lines.starts_with(':')) continue;
      sse_event e;
      std::istringstream in(lines);
      for (std::string line; std::getline(in, line);) {
        if (line.starts_with("id: ")) e.id = line.substr(4);
        if (line.starts_with("event: ")) e.event = line.substr(7);
        if (line.starts_with("data: ")) e.data = line.substr(6);
      }
      return e;
    }
  }
  /// The next event of that name; others are passed over.
  sse_event next(std::string_view name) {
    for (;;) {
      auto e = next();
      if (e.event == name || e.event.empty()) return e;
    }
  }

  std::string head;

 private:
  http_wire wire_;
  std::string text_;
};

/// A text at a path of JSON such as "data.final_answer"; what it is not is said instead.
inline std::string json_at(const std::string &json, std::string path) {
  auto document = json_document::parse(json);
  if (!document) return document.error().message();
  auto value = document->root();
  while (!path.empty()) {
    auto key = path.substr(0, path.find('.'));
    path.erase(0, key.size() + 1);
    auto object = value.object();
    if (!object) return object.error().message();
    auto found = object->find(key);
    if (!found) return key + " is null or missing";
    value = *found;
  }
  if (auto text = value.text()) return std::string(*text);
  if (auto number = value.integer()) return std::to_string(*number);
  if (auto boolean = value.boolean()) return *boolean ? "true" : "false";
  return json_kind_name(value.kind());
}

inline std::string plain(const std::string &session, const std::string &text, const std::string &event_id) {
  return R"({"session_id": ")" + session + R"(", "text": ")" + text + R"(", "event_id": ")" + event_id + "\"}";
}

}  // namespace corbel::test
