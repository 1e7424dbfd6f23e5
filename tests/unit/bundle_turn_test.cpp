/// Which bundle a task means, what its handler is given, and what is published of what it says.

#include "operations/bundle_turn.hpp"

#include "json/document.hpp"
#include "operations/bundle_operation_route.hpp"

#include <doctest/doctest.h>

using namespace corbel;

namespace {

const bundle_registry registry{.version = "1", .default_id = "a", .entries = {{.id = "a"}, {.id = "b"}}, .faults = {}};
const chat_task task{.task_id = "t", .session_id = "s", .event_id = "e", .external_events = "[]", .text = "one \"two\""};

bool holds(const std::string &text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("the bundle that is named, the default where none is, and a clear line for another") {
  CHECK(choose_bundle(registry, "b").value() == "b");
  CHECK(choose_bundle(registry, "").value() == "a");
  CHECK(choose_bundle(registry, "default").value() == "a");
  auto none = choose_bundle(registry, "c");
  CHECK(none.error().native() == "UNKNOWN");
  CHECK(none.error().message() == "bundle 'c' is not known; there is a, b: name one of those, or none for the default");
  CHECK(choose_bundle({}, "a").error().is(status::unavailable));
}

TEST_CASE("a handler's task is JSON and holds the text and the events") {
  auto document = json_document::parse(handler_task(task, "a", 2));
  REQUIRE(document);
  const auto top = document->root().object().value();
  CHECK(top.text("text").value() == "one \"two\"");
  CHECK(top.integer("attempt").value() == 2);
  CHECK(top.text("bundle_id").value() == "a");
  CHECK(top.array("events").value().empty());
}

TEST_CASE("events are published in the platform's envelope; two of a kind are not copies") {
  const auto one = handler_event(task, R"({"step": "look", "data": {"n": 1}})", 1);
  CHECK(one.event == "chat_step");
  CHECK(one.session_id == "s");
  CHECK(holds(one.data, R"("data": {"n": 1})"));
  CHECK(one.id != handler_event(task, R"({"step": "look", "data": {"n": 1}})", 2).id);
  CHECK(one.id == handler_event(task, R"({"step": "look", "data": {"n": 2}})", 1).id);
  CHECK(handler_event(task, R"({"type": "chat.delta"})", 1).event == "chat_delta");
  CHECK(holds(handler_event(task, "[1, 2]", 1).data, R"("data": [1, 2])"));
}

TEST_CASE("a result becomes chat.complete, an error chat.error") {
  const auto object = handler_complete(task, {R"({"final_answer": "yes", "n": 3, "task_id": "no"})", "c0ffee"});
  CHECK(object.event == "chat_complete");
  CHECK(
      holds(object.data, R"("data": {"task_id": "t", "event_id": "e", "commit": "c0ffee", "final_answer": "yes", "n": 3})"));
  CHECK(holds(handler_complete(task, {"\"yes\"", "c"}).data, R"("final_answer": "yes")"));
  const auto failed = handler_error(task, "a", error(status::internal, "no", "bundle", "KeyError"));
  CHECK(failed.event == "chat_error");
  CHECK(holds(failed.data, R"("error": "no", "error_type": "KeyError")"));
}

TEST_CASE("an operation's result is answered as JSON, or as the text that it is") {
  const host_identity who;
  const auto json = operation_response(who, "a", "count", bundle_answer{"[1]", "c"});
  CHECK(json.status == 200);
  CHECK(json.body == R"({"status": "ok", "tenant": "home", "project": "default-project", "bundle_id": "a", "count": [1]})");
  const auto text =
      operation_response(who, "a", "m", bundle_answer{R"({"content_type": "text/plain", "body": "x 1\n"})", "c"});
  CHECK(text.content_type == "text/plain");
  CHECK(text.body == "x 1\n");
  CHECK(operation_response(who, "a", "m", bundle_answer{R"({"content_type": "a\r\nb: c", "body": ""})", "c"}).content_type ==
        "application/json");
  CHECK(operation_response(who, "a", "m", error(status::unavailable, "no")).status == 503);
  CHECK(operation_response(who, "a", "m", error(status::internal, "no", "bundle", "X")).status == 502);
}
