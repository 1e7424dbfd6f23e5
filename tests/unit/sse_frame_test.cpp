#include "relay/sse_frame.hpp"

#include "relay/channel.hpp"
#include "relay/unique_id.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace corbel;

TEST_CASE("a frame is three lines and an empty one") {
  CHECK(sse_frame("a-1", "chat_step", R"({"k": "v"})") == "id: a-1\nevent: chat_step\ndata: {\"k\": \"v\"}\n\n");
}

TEST_CASE("nothing in the data can end its line, and what other readers take for a line end stays") {
  CHECK(sse_frame("1", "e", "{\r\n\"a\":\n1}") == "id: 1\nevent: e\ndata: {  \"a\": 1}\n\n");
  CHECK(sse_frame("1", "e", "\"\u2028\u2029\u0085\"") == "id: 1\nevent: e\ndata: \"\u2028\u2029\u0085\"\n\n");
}

TEST_CASE("an id or a name cannot begin a line of its own") {
  using namespace std::string_literals;
  CHECK(sse_frame("1\ndata: x", "e\r\nid: 2", "{}") == "id: 1 data: x\nevent: e  id: 2\ndata: {}\n\n");
  CHECK(sse_frame("1\0002"s, "e", "{}") == "id: 1 2\nevent: e\ndata: {}\n\n");
}

TEST_CASE("channels have the platform's names") {
  CHECK(relay_channel({.tenant = "home", .project = "demo"}, "s1") == "kdcube.relay.chatbot.home:demo:chat.events.s1");
  CHECK(relay_channel({.identity = "x", .tenant = "", .project = "demo"}, "s") == "x.-:demo:chat.events.s");
  CHECK(relay_channel({.identity = "x", .tenant = "t", .project = ""}, "s") == "x.t:-:chat.events.s");
  CHECK(relay_channel({.identity = "x", .tenant = "", .project = ""}, "s") == "x.chat.events.s");
  CHECK(relay_recent_key("c") == "c:recent");
}

TEST_CASE("unique ids are UUIDs of version 4 and differ") {
  std::set<std::string> all;
  for (int i = 0; i < 1000; ++i) {
    auto id = unique_id();
    REQUIRE(id.size() == 36);
    CHECK(id[14] == '4');
    CHECK(std::string("89ab").find(id[19]) != std::string::npos);
    for (std::size_t dash : {8u, 13u, 18u, 23u}) CHECK(id[dash] == '-');
    all.insert(id);
  }
  CHECK(all.size() == 1000);
}
