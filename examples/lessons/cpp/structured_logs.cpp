// Lesson: log lines with named fields, one JSON object each, that carry the trace of the request they belong to; levels
// change while the program runs.
//
//     build/dev/examples/lessons/lesson_cpp_structured_logs
#include <corbel/runtime.hpp>
#include <corbel/trace.hpp>

#include <cstdio>

using namespace std::chrono_literals;
using corbel::log_level;

int main() {
  std::puts("lesson: structured_logs");
  std::fflush(stdout);
  corbel::runtime rt({.name = "structured_logs", .log_stdout = true, .form = corbel::log_form::json});
  // Of the request's traceparent: the same trace, a span of our own.
  auto trace = corbel::trace_context::follow("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const corbel::log_context about{.request_id = "r-1", .tenant = "home", .traceparent = trace.text(), .duration = 12ms};

  auto line = [&](log_level level, const char *part, const char *text) {
    rt.log({.level = level, .part = part, .text = text, .fields = about.fields()});
  };
  line(log_level::info, "mail", "sent");
  line(log_level::debug, "mail", "not shown: the level is info");
  rt.set_log_level("mail", log_level::debug);  // of this part alone
  line(log_level::debug, "mail", "shown now");
  line(log_level::debug, "disk", "still not shown");
  rt.shutdown(5s).value();  // what was logged is written first
}
