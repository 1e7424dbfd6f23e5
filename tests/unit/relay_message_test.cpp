#include "relay/message.hpp"

#include <doctest/doctest.h>

using namespace corbel;

TEST_CASE("a message reads back as it was written") {
  relay_message m{.id = "m1",
                  .session_id = "s\n1",
                  .event = "chat_step",
                  .data = R"({"a": [1, 2.5, "x"]})",
                  .target_sid = "t",
                  .timestamp = 1700000000.25};
  CHECK(m.json() ==
        R"({"id": "m1", "target_sid": "t", "session_id": "s\n1", "event": "chat_step", "data": {"a": [1, 2.5, "x"]}, )"
        R"("timestamp": 1700000000.25})");
  auto back = relay_message::parse(m.json());
  REQUIRE(back);
  CHECK(back->json() == m.json());
}

TEST_CASE("a message of the platform has no id, and its data may be spread over lines") {
  auto m = relay_message::parse(
      "{\"target_sid\":null,\"session_id\":\"s\",\"event\":\"chat_start\",\"data\":{\n\"x\":\n\"\u2028\"},\"timestamp\":5}");
  REQUIRE(m);
  CHECK(m->id.empty());
  CHECK(m->target_sid.empty());
  CHECK(m->data == R"({"x": "\u2028"})");
  CHECK(m->timestamp == 5);
  CHECK(relay_message::parse(R"({"event": "e"})")->data == "{}");
}

TEST_CASE("what is no message is refused") {
  CHECK(relay_message::parse("").error().message() == "JSON is empty: expected a value");
  CHECK(relay_message::parse("[]").error().message() == "the document: expected an object, found an array");
  CHECK(relay_message::parse("{}").error().message() == "event: is missing");
  CHECK(relay_message::parse(R"({"event": "e", "target_sid": 5})").error().message() ==
        "target_sid: expected text, found an integer");
}
