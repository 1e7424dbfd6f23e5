# Lesson: log lines with named fields, one JSON object each, that carry the trace of the request they belong to; levels change
# while the program runs.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     python3 examples/lessons/python/structured_logs.py
import corbel
import corbel.blocking

print("lesson: structured_logs", flush=True)
with corbel.blocking.Runtime(name="structured_logs", log_stdout="json") as rt:  # JSON on a terminal too
    # Of the request's traceparent: the same trace, a span of our own.
    trace = corbel.follow_trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    about = {"request_id": "r-1", "tenant": "home", "trace_id": trace[3:35], "span_id": trace[36:52]}
    rt.log("info", "mail", "sent", **about)
    rt.log("debug", "mail", "not shown: the level is info", **about)
    rt.log_level("debug", "mail")  # of this part alone
    rt.log("debug", "mail", "shown now", **about)
    rt.log("debug", "disk", "still not shown", **about)
