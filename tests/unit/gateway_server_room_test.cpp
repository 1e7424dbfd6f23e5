#include "gateway/server_room.hpp"

#include <doctest/doctest.h>

using namespace corbel::detail;

TEST_CASE("clients that are not ours, by name") {
  const char *list =
      "id=3 addr=127.0.0.1:1 laddr=x fd=8 name=ingress:pod-1:7:async age=1 db=0 cmd=get\n"
      "id=4 addr=127.0.0.1:2 fd=9 name= age=1\n"
      "id=5 addr=127.0.0.1:3 fd=9 name=ingress-two:pod-1:7:async age=1\n"
      "id=6 addr=127.0.0.1:4 fd=9 name=ingress:pod-2:9:sync age=1\n"
      "id=7 addr=127.0.0.1:5 fd=9 age=1\n";
  CHECK(count_others(list, "ingress:") == 3);
  CHECK(count_others(list, "") == 5);
  CHECK(count_others("", "ingress:") == 0);
  CHECK(count_others("id=1 name=ingress:x", "ingress:") == 0);
}

TEST_CASE("numbers of INFO") {
  const char *info = "# Clients\r\nconnected_clients:12\r\nmaxclients:10000\r\nnot_maxclients:5\r\nodd:x\r\n";
  CHECK(info_number(info, "maxclients") == 10000);
  CHECK(info_number(info, "connected_clients") == 12);
  CHECK(info_number(info, "clients") == std::nullopt);
  CHECK(info_number(info, "odd") == std::nullopt);
  CHECK(info_number("", "maxclients") == std::nullopt);
}
