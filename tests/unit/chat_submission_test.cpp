#include "operations/chat_submission.hpp"

#include "json/document.hpp"

#include <doctest/doctest.h>

using namespace corbel;

namespace {
std::string type_of(const result<chat_task> &r) { return r ? "accepted" : r.error().native(); }
}  // namespace

TEST_CASE("events are taken as the client has them, with what the platform's form has beside") {
  auto t = read_chat_submission(
      R"({"external_events": [{"type": "event.user.prompt", "event_id": "e1", "x": [1, 2.0], "reactive": false,
          "payload": {"event": {"message": "hello"}}}, {"payload": {"event": "world"}}], "conversation_id": "c", "bundle_id": "b"})");
  REQUIRE(t);
  CHECK(t->event_id == "e1");
  CHECK(t->conversation_id == "c");
  CHECK(t->bundle_id == "b");
  CHECK(t->text == "hello\nworld");
  auto d = json_document::parse(t->external_events);
  REQUIRE(d);
  auto events = *d->root().array();
  REQUIRE(events.size() == 2);
  auto first = *events[0].object(), second = *events[1].object();
  CHECK(*first.text("type") == "event.user.prompt");
  CHECK(*first.boolean("reactive", true) == false);
  CHECK(first.array("x")->size() == 2);
  CHECK(*second.text("type") == "event.external");
  CHECK(*second.text("event_source_id") == "react.external_event");
  CHECK(second.text("event_id")->size() == 36);
  CHECK(second.text("timestamp")->ends_with("Z"));
  CHECK(*second.boolean("reactive", false) == true);
}

TEST_CASE("an event without an id gets one, and it is the task's") {
  auto t = read_chat_submission(R"({"external_events": [{"payload": {"event": "x"}}]})");
  REQUIRE(t);
  CHECK(t->event_id.size() == 36);
  CHECK(t->external_events.find(t->event_id) != std::string::npos);
  CHECK(t->bundle_id == "default");
}

TEST_CASE("what a client does wrong has the platform's error_type") {
  CHECK(type_of(read_chat_submission("")) == "bad_request");
  CHECK(type_of(read_chat_submission("[]")) == "bad_request");
  CHECK(type_of(read_chat_submission("{}")) == "missing_external_events");
  CHECK(type_of(read_chat_submission(R"({"external_events": null})")) == "missing_external_events");
  CHECK(type_of(read_chat_submission(R"({"external_events": []})")) == "missing_external_events");
  CHECK(type_of(read_chat_submission(R"({"external_events": "x"})")) == "bad_request");
  CHECK(type_of(read_chat_submission(R"({"external_events": [5]})")) == "bad_request");
  CHECK(type_of(read_chat_submission(R"({"external_events": [{"payload": {"event": {"text": ""}}}]})")) ==
        "missing_message");
  CHECK(type_of(read_chat_submission(R"({"external_events": [{"event_id": "a\nb", "payload": {"event": "x"}}]})")) ==
        "bad_request");
  CHECK(type_of(read_chat_submission(R"({"external_events": [{"payload": {"event": "x"}}], "conversation_id": "a b"})")) ==
        "bad_request");
  chat_limits few{.text = 5, .events = 1};
  CHECK(type_of(read_chat_submission(R"({"external_events": [{"payload": {"event": "ééééé"}}]})", few)) == "accepted");
  auto long_one = read_chat_submission(R"({"external_events": [{"payload": {"event": "éééééé"}}]})", few);
  CHECK(type_of(long_one) == "input_too_long");
  CHECK(long_one.error().message() == "the text has 6 characters, 5 are allowed");
  CHECK(type_of(read_chat_submission(R"({"external_events": [{}, {}]})", few)) == "bad_request");
}

TEST_CASE("a plain message is the one event that it means") {
  auto t = read_plain_message(R"({"session_id": "s", "text": "hello", "event_id": "e"})");
  REQUIRE(t);
  CHECK(t->session_id == "s");
  CHECK(t->event_id == "e");
  CHECK(t->text == "hello");
  auto back = json_document::parse(t->external_events);
  REQUIRE(back);
  CHECK(*(*back->root().array())[0].object()->text("type") == "event.user.prompt");
  CHECK(type_of(read_plain_message("{}")) == "missing_session_id");
  CHECK(type_of(read_plain_message(R"({"session_id": "s"})")) == "missing_message");
  CHECK(type_of(read_plain_message(R"({"session_id": "s", "text": ["x"]})")) == "bad_request");
  CHECK(type_of(read_plain_message(R"({"session_id": " ", "text": "x"})")) == "bad_request");
  CHECK(type_of(read_plain_message(R"({"session_id": "s", "text": "xxx"})", {.text = 2})) == "input_too_long");
}

TEST_CASE("ids of clients") {
  CHECK(is_client_id("a"));
  CHECK(is_client_id(std::string(128, 'x')));
  CHECK_FALSE(is_client_id(""));
  CHECK_FALSE(is_client_id(std::string(129, 'x')));
  for (auto bad : {"a b", "a\n", "\x7f", "é", "\t"}) CHECK_FALSE(is_client_id(bad));
}
