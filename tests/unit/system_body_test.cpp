#include "operations/system_body.hpp"

#include "operations/autoscale.hpp"
#include "operations/system_page.hpp"
#include "operations/text_files.hpp"
#include "support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

std::string beat(const std::string &status, int load, const std::string &more = "") {
  return R"({"instance_id": "a<b", "service_type": "chat", "service_name": "proc", "process_id": 7, "port": null, )"
         R"("current_load": )" +
         std::to_string(load) + R"(, "max_capacity": 5, "last_heartbeat": 100.5, "health_status": ")" + status + "\"" +
         more + "}";
}

system_view view_of(const std::vector<std::string> &beats) {
  system_view v;
  v.at = std::chrono::system_clock::time_point(101s);
  for (auto &b : beats) v.processes.push_back(*seen_process::parse(b));
  v.queue.ready = 10;
  v.queue.in_flight = 2;
  return v;
}

}  // namespace

TEST_CASE("a heartbeat is healthy by its exact word; what is none is left out") {
  CHECK(seen_process::parse(beat("ServiceHealth.HEALTHY", 1))->healthy());
  CHECK(seen_process::parse(beat("healthy", 1))->healthy());
  CHECK_FALSE(seen_process::parse(beat("ServiceHealth.UNHEALTHY", 1))->healthy());
  for (auto none : {"", "{}", "[]", "nonsense", R"({"instance_id": 3})"}) CHECK_FALSE(seen_process::parse(none));
}

TEST_CASE("the fleet's numbers") {
  gateway_settings settings;
  auto v = view_of({beat("ServiceHealth.HEALTHY", 5), beat("ServiceHealth.UNHEALTHY", 5),
                    beat("ServiceHealth.HEALTHY", 0, R"(, "draining": true)")});
  const auto n = system_numbers::of(v, settings);
  CHECK(n.queued == 12);
  CHECK(n.capacity == 14);  // one process: 4 worked, 10 waiting
  CHECK(n.pressure == doctest::Approx(12.0 / 14));
  CHECK(n.proc.instances == 1);
  CHECK(n.proc.utilization_percent == 100);
  CHECK(system_numbers::of(view_of({}), settings).pressure == 1);  // something waits, and nobody is there
}

TEST_CASE("advice of the autoscaler") {
  CHECK(advise_proc({.instances = 1, .pressure = 0.85}).decision == "scale_up");
  CHECK(advise_proc({.instances = 1, .utilization_percent = 90, .queued = 1}).decision == "scale_up");
  CHECK(advise_proc({.instances = 2}).decision == "scale_down");
  CHECK(advise_proc({.instances = 1}).decision == "hold");
  CHECK(advise_proc({.instances = 2, .queued = 1}).decision == "hold");
  CHECK(advise_ingress({.instances = 1, .streams_percent = 80}).decision == "scale_up");
  CHECK(advise_ingress({.instances = 2, .streams_percent = 10}).decision == "scale_down");
  CHECK(advise_ingress({.instances = 2, .streams_percent = 50}).decision == "hold");
}

TEST_CASE("windows average what is young enough; an hour is kept") {
  system_history h;
  for (int i = 0; i < 8000; ++i) h.add({.at = i * 1.0, .depth = i < 7990 ? 0.0 : 10.0});
  CHECK(h.samples().size() <= 3601);
  CHECK(h.over(&system_sample::depth, 7999, 9).mean == 10);
  CHECK(h.over(&system_sample::depth, 7999, 3600).most == 10);
  CHECK(h.over(&system_sample::depth, 90000, 60).count == 0);
}

TEST_CASE("body and page are well-formed, whatever the processes are called") {
  gateway_settings settings;
  settings.tenant = "<script>";
  auto v = view_of({beat("ServiceHealth.HEALTHY", 5,
                         R"(, "metadata": {"health": {"parts": {"redis:\"main\"": {"state": "down", )"
                         R"("reason": "<b>gone</b>"}}}, "pools": {"redis": {"async": {"in_use": 2, "total": 3}}}})")});
  v.throttled.push_back({100, 429, R"({"timestamp": 100, "http_status": 429})"});
  system_history h;
  h.add(system_numbers::of(v, settings).sample(v));
  simdjson::dom::parser parser;
  simdjson::dom::element root = parser.parse(system_body(v, settings, h));
  CHECK(std::int64_t(root.at_pointer("/components/proc/load")) == 5);
  CHECK(std::int64_t(root.at_pointer("/throttling_stats/rate_limit_429")) == 1);
  CHECK(double(root.at_pointer("/connection_pools/in_use_1m")) == 2);
  const auto page = system_page(v, settings, h);
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("<b>") == std::string::npos);
  CHECK(page.find("&lt;b&gt;gone") != std::string::npos);
  CHECK(page.find("a&lt;b") != std::string::npos);
  for (auto outside : {"http:", "https:", "src=", "@import", "url("}) CHECK(page.find(outside) == std::string::npos);
  CHECK(html_text("<a href=\"x\">&") == "&lt;a href=&quot;x&quot;&gt;&amp;");
}

TEST_CASE("text files: what is new, what is there, and no other kind") {
  temp_dir dir;
  std::filesystem::create_directories(dir.path() / "sub");
  std::ofstream(dir.file("a.txt")) << "one";
  std::ofstream(dir.file("sub/b.MD")) << std::string("x\0y\xFFz", 5);
  std::ofstream(dir.file("c.bin")) << "no";
  std::filesystem::create_symlink("/etc/passwd", dir.path() / "link.txt");
  auto first = scan_text_files(dir.path().string(), {});
  CHECK(first.faults.empty());
  REQUIRE(first.changed.size() == 2);
  std::map<std::string, std::string> known;
  for (auto &f : first.changed) {
    known[f.path] = f.fingerprint;
    if (f.path == "sub/b.MD") CHECK(f.text == "xy\xEF\xBF\xBDz");
    if (f.path == "sub/b.MD") CHECK(f.type == "md");
  }
  CHECK(scan_text_files(dir.path().string(), known).changed.empty());
  std::ofstream(dir.file("a.txt")) << "one and two";
  auto second = scan_text_files(dir.path().string(), known);
  REQUIRE(second.changed.size() == 1);
  CHECK(second.changed[0].text == "one and two");
  CHECK(second.present.size() == 2);
  CHECK(scan_text_files(dir.path().string(), {}, 3).changed.size() == 2);
  CHECK(scan_text_files((dir.path() / "nowhere").string(), {}).faults.size() == 1);
}
