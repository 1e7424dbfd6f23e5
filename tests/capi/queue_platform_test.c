/* The platform's chat queue through the C API: a task is put, worked under its user type and conversation, and counted. */
#include "queue.h"

static const char task[] =
    "{\"meta\": {\"task_id\": \"t1\", \"created_at\": 1700000000.5}, \"routing\": {\"bundle_id\": \"b\", \"session_id\": "
    "\"s\", \"conversation_id\": \"talk\"}, \"actor\": {\"tenant_id\": \"acme\", \"project_id\": \"main\"}, \"user\": "
    "{\"user_type\": \"paid\"}, \"request\": {\"message\": \"hello\"}}";

static void a_task_is_put_and_worked(void) {
  struct world w = world_open();
  const corbel_queue_lane weights[] = {{.name = "paid", .weight = 5}};
  corbel_queue_options o = {.struct_size = sizeof o,
                            .layout = CORBEL_QUEUE_PLATFORM,
                            .tenant = "acme",
                            .project = "main",
                            .lanes = weights,
                            .lane_count = 1};
  corbel_producer *p = open_producer(&w, &o);
  corbel_put item = item_of(task), odd = item_of("no task");
  CHECK_EQ(corbel_producer_put(p, &odd, 1, sizeof odd, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(put_items(&w, p, &item, 1), 1);
  corbel_event ev = COMMAND(&w, "LLEN", "acme:main:kdcube:chat:prompt:queue:paid");
  CHECK_EQ(corbel_node_integer(corbel_reply_root(ev.object)), 1);
  corbel_event_clear(&ev, sizeof ev);

  corbel_inspector *look = NULL;
  corbel_call c = call_to(w.q, 4);
  corbel_bytes json = {NULL, 0};
  CHECK_EQ(corbel_inspector_open(w.r, &o, &look, NULL), CORBEL_OK);
  CHECK_EQ(corbel_inspector_stats(look, &c, NULL), CORBEL_OK);
  ev = await_event(w.q, CORBEL_EVENT_QUEUE_STATS);
  CHECK(ev.status == CORBEL_OK && corbel_text_bytes(ev.object, &json) == CORBEL_OK);
  CHECK(json.data && strstr(json.data, "\"privileged\"") && strstr(json.data, "\"external\""));
  corbel_event_clear(&ev, sizeof ev);

  corbel_events *mq = open_events(w.rt);
  corbel_consumer *k = open_consumer(&w, mq, &o);
  corbel_message *j = next_message(mq);
  corbel_message_view v;
  CHECK_EQ(corbel_message_view_get(j, &v, sizeof v), CORBEL_OK);
  CHECK(same(v.body, task) && same(v.id, "t1") && same(v.lane, "paid") && same(v.group, "talk"));
  CHECK(v.attempt == 1 && v.token != 0);
  CHECK_EQ(settle(&w, j, CORBEL_SETTLE_DONE), 1);
  CHECK_EQ(depth(&w, p), 0);
  corbel_message_free(j);
  corbel_consumer_free(k);
  corbel_inspector_free(look);
  corbel_producer_free(p);
  corbel_events_free(mq);
  world_close(&w);
}

int main(void) {
  RUN(a_task_is_put_and_worked);
  return check_report();
}
