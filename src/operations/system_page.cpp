#include "operations/system_page.hpp"

#include "base/utc_time.hpp"
#include "json/document.hpp"

#include <fmt/format.h>

namespace corbel {

namespace {

constexpr double shown_seconds = 600, width = 640, height = 140;

constexpr const char *head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>Corbel fleet</title><style>
body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse;width:100%;margin:1em 0}td,th{text-align:left;padding:.3em .6em;border-bottom:1px solid #ddd;vertical-align:top}
.ok,.saturated{color:#176f2c}.degraded,.unknown{color:#8a5a00}.down,.stale{color:#a40000}.n{text-align:right}
svg{width:100%;max-width:40em;height:auto;background:#fafafa;border:1px solid #ddd}figure{margin:1em 0}
.a{stroke:#1456b8;fill:none;stroke-width:2}.b{stroke:#c2570c;fill:none;stroke-width:2}.grid{stroke:#ddd}
text{font:11px system-ui,sans-serif;fill:#444}.ta{fill:#1456b8}.tb{fill:#c2570c}
</style></head><body>
)";

std::string number(double n) {
  return n == static_cast<double>(static_cast<std::int64_t>(n)) ? fmt::format("{:.0f}", n) : fmt::format("{:.2f}", n);
}

std::string line_of(const system_history &history, double now, double system_sample::*what, double most, const char *css) {
  std::string points;
  for (auto &s : history.samples()) {
    if (s.at < now - shown_seconds) continue;
    const double x = width * (1 - (now - s.at) / shown_seconds), y = height - (height - 20) * (s.*what / most) - 2;
    points += fmt::format("{:.1f},{:.1f} ", x, y);
  }
  return fmt::format("<polyline class=\"{}\" points=\"{}\"/>", css, points);
}

/// The parts that a process tells of in its heartbeat: "redis:main ok, ...".
std::string parts_of(const seen_process &p) {
  auto document = json_document::parse(p.metadata);
  auto metadata = document ? document->root().object() : result<json_object>(document.error());
  auto health = metadata ? metadata->object("health") : result<json_object>(metadata.error());
  auto parts = health ? health->object("parts") : result<json_object>(health.error());
  if (!parts) return "not told";
  std::string out;
  for (auto &[name, value] : parts->members()) {
    auto part = value.object();
    auto state = part ? part->text("state") : result<std::string_view>(part.error());
    if (!state) continue;
    auto reason = part->text("reason", "");
    if (!out.empty()) out += "<br>";
    out += fmt::format("<span class=\"{0}\">{0}</span> {1}", html_text(*state), html_text(name));
    if (reason && !reason->empty()) out += ": " + html_text(*reason);
  }
  return out;
}

std::string services(const system_view &view) {
  std::string rows;
  for (auto &p : view.processes)
    rows += fmt::format(
        "<tr><td>{}</td><td>{}:{}</td><td class=\"n\">{} of {}</td><td class=\"n\">{:.0f} "
        "s</td><td>{}</td><td>{}</td></tr>\n",
        html_text(p.service_type + ":" + p.service_name), html_text(p.instance), p.pid, p.load, p.capacity,
        std::max(0.0, view.seconds() - p.last), p.draining ? "draining" : html_text(p.status), parts_of(p));
  if (rows.empty()) rows = "<tr><td colspan=\"6\">No process has been heard.</td></tr>\n";
  return "<h2>Services</h2>\n<table "
         "id=\"services\"><tr><th>service</th><th>process</th><th>load</th><th>heard</th><th>says</th>"
         "<th>parts</th></tr>\n" +
         rows + "</table>\n";
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string out;
  for (char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  return out;
}

std::string svg_chart(const system_history &history, double now, const char *title, double system_sample::*first,
                      const char *first_name, double system_sample::*second, const char *second_name) {
  double most = 1, a = 0, b = 0;
  for (auto &s : history.samples()) {
    if (s.at < now - shown_seconds) continue;
    a = s.*first, b = s.*second;
    most = std::max({most, a, b});
  }
  auto svg = fmt::format(
      "<figure><figcaption>{}, last {:.0f} minutes</figcaption><svg viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"{}\">",
      title, shown_seconds / 60, width, height, title);
  svg += fmt::format(
      "<line class=\"grid\" x1=\"0\" x2=\"{0}\" y1=\"18\" y2=\"18\"/>"
      "<line class=\"grid\" x1=\"0\" x2=\"{0}\" y1=\"{1}\" y2=\"{1}\"/>",
      width, height - 2);
  svg += line_of(history, now, first, most, "a") + line_of(history, now, second, most, "b");
  svg += fmt::format(
      "<text x=\"4\" y=\"12\">{}</text><text class=\"ta\" x=\"{}\" y=\"12\">{}: {}</text><text class=\"tb\" "
      "x=\"{}\" y=\"12\">{}: {}</text></svg></figure>\n",
      number(most), width - 300, first_name, number(a), width - 150, second_name, number(b));
  return svg;
}

std::string system_page(const system_view &view, const gateway_settings &settings, const system_history &history) {
  const auto n = system_numbers::of(view, settings);
  std::string page = head;
  page += fmt::format("<h1>{} / {}</h1>\n<p id=\"when\">{}{}</p>\n", html_text(settings.tenant), html_text(settings.project),
                      detail::utc_text(view.at),
                      view.error.empty() ? "" : ", <span class=\"down\">" + html_text(view.error) + "</span>");
  page += services(view);
  page += fmt::format(
      "<h2>Queue</h2>\n<table id=\"queue\"><tr><th>ready</th><th>in flight</th><th>delayed</th><th>dead</th>"
      "<th>oldest</th><th>capacity</th><th>pressure</th><th>advice</th></tr>\n<tr><td>{}</td><td>{}</td>"
      "<td>{}</td><td>{}</td><td>{:.1f} s</td><td>{}</td><td>{:.2f}</td><td>{}</td></tr></table>\n",
      view.queue.ready, view.queue.in_flight, view.queue.delayed, view.queue.dead,
      std::chrono::duration<double>(view.queue.oldest_age).count(), n.capacity, n.pressure, advise_proc(n.proc).decision);
  const auto now = view.seconds();
  page += svg_chart(history, now, "Queue", &system_sample::depth, "ready", &system_sample::in_flight, "in flight");
  page += svg_chart(history, now, "Workers", &system_sample::load, "busy", &system_sample::capacity, "capacity");
  page += svg_chart(history, now, "Connections of pools", &system_sample::pool_used, "in use", &system_sample::pool_open,
                    "open");
  page +=
      "<p><a href=\"/metrics/combined\">as JSON</a> &middot; <a href=\"/metrics\">for Prometheus</a></p>\n</body></html>\n";
  return page;
}

}  // namespace corbel
