/* Lesson: log lines with named fields, one JSON object each, that carry the trace of the request they belong to; levels
 * change while the program runs.
 *
 *     build/dev/examples/lessons/lesson_c_structured_logs */
#include <corbel.h>

#include <stdio.h>
#include <string.h>

static void line(corbel_runtime *rt, int32_t level, const char *part, const char *text, const char *traceparent) {
  corbel_field f[] = {{"request_id", {"r-1", 3}},
                      {"tenant", {"home", 4}},
                      {"trace_id", {traceparent + 3, 32}},
                      {"span_id", {traceparent + 36, 16}}};
  corbel_log_write(rt, level, part, text, strlen(text), f, 4, sizeof f[0]);
}

int main(void) {
  printf("lesson: structured_logs\n");
  fflush(stdout);
  corbel_runtime_options o = {.struct_size = sizeof o,
                              .name = "structured_logs",
                              .flags = CORBEL_RUNTIME_LOG_STDOUT | CORBEL_RUNTIME_LOG_JSON}; /* on a terminal too */
  corbel_runtime *rt = NULL;
  if (corbel_runtime_open(&o, &rt, NULL)) return 1;
  char trace[CORBEL_TRACEPARENT_SIZE]; /* of the request's traceparent: the same trace, a span of our own */
  corbel_trace_follow("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", trace, sizeof trace);

  line(rt, CORBEL_LOG_INFO, "mail", "sent", trace);
  line(rt, CORBEL_LOG_DEBUG, "mail", "not shown: the level is info", trace);
  corbel_log_level(rt, "mail", CORBEL_LOG_DEBUG); /* of this part alone */
  line(rt, CORBEL_LOG_DEBUG, "mail", "shown now", trace);
  line(rt, CORBEL_LOG_DEBUG, "disk", "still not shown", trace);

  corbel_runtime_shutdown(rt, 0, NULL); /* what was logged is written first */
  corbel_runtime_free(rt);
  return 0;
}
