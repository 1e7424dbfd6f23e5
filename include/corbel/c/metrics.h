/* Corbel: metrics of the host's own, shown beside the library's: by corbel_runtime_metrics, at /metrics, and to a collector.
 *
 *     corbel_field label = {"list", {"weekly", 6}};
 *     corbel_metric_options o = {.struct_size = sizeof o, .kind = CORBEL_METRIC_COUNTER, .name = "mails_sent_total",
 *                                .help = "Mails taken by a server.", .labels = &label, .n = 1, .each = sizeof label};
 *     corbel_metric *mails;
 *     corbel_metric_open(rt, &o, &mails, NULL);
 *     corbel_metric_add(mails, 1);
 *
 * A corbel_metric is one series: a name and the values of its labels. Opening one takes a lock: open it once, keep it.
 * Updating one takes none. The same name and labels are the same series, whoever opens it; it stays until the runtime is
 * gone, also when its handles are freed. Any thread, at once.
 * Bounded: a name has at most max_series series. What comes with further labels is counted in one more series, whose labels
 * all say "other"; corbel_metrics_other_total{metric} counts how often that was asked for. */
#ifndef CORBEL_C_METRICS_H
#define CORBEL_C_METRICS_H
#include <corbel/c/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corbel_metric corbel_metric;

#define CORBEL_METRIC_COUNTER 1   /* only grows */
#define CORBEL_METRIC_GAUGE 2     /* goes up and down */
#define CORBEL_METRIC_HISTOGRAM 3 /* counts values in buckets, each up to and with its bound, and one above them */

typedef struct corbel_metric_options {
  uint32_t struct_size;
  uint32_t flags;      /* 0 */
  const char *name;    /* letters, digits, '_' and ':'; not corbel_..., which is the library's; a counter's ends in _total */
  const char *help;    /* one line; NULL: none */
  int32_t kind;        /* CORBEL_METRIC_... */
  uint32_t max_series; /* 0: 1,000; at most 100,000; the first series of a name decides */
  const corbel_field *labels; /* n of `each` bytes; the same names in every series of a name; values of up to 256 bytes */
  size_t n;
  size_t each;
  const double *bounds; /* of a histogram, ascending, at most 100; NULL: 0.0001 to 60, for seconds */
  size_t n_bounds;
} corbel_metric_options;

/* INVALID: a name, a label or a bound is malformed, or the name is there with another kind, other labels or bounds. */
CORBEL_API corbel_status corbel_metric_open(corbel_runtime *rt, const corbel_metric_options *o, corbel_metric **out,
                                            corbel_error **err);
/* Adds to a counter (below 0: INVALID) or to a gauge. INVALID for a histogram, and for what is no number. */
CORBEL_API corbel_status corbel_metric_add(const corbel_metric *m, double n);
/* Sets a gauge. INVALID for the others. */
CORBEL_API corbel_status corbel_metric_set(const corbel_metric *m, double value);
/* Counts a value in a histogram, a duration in seconds. INVALID for the others, and for what is no number. */
CORBEL_API corbel_status corbel_metric_record(const corbel_metric *m, double value);
/* Frees the handle; the series stays. */
CORBEL_API void corbel_metric_free(corbel_metric *m);

#ifdef __cplusplus
}
#endif
#endif
