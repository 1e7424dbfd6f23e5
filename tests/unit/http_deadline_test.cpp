#include "http/deadline.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <vector>

using namespace corbel::detail;
using namespace std::chrono_literals;

TEST_CASE("a deadline that passed is told again until somebody has heard of it") {
  boost::asio::io_context context;
  std::vector<bool> told;
  http_deadline deadline(context.get_executor(), [&](bool first) {
    told.push_back(first);
    if (told.size() == 3) context.stop();
  });
  deadline.set(1ms);
  context.run();
  CHECK(told == std::vector<bool>{true, false, false});
  CHECK(deadline.expired());
  deadline.clear();
  context.restart();
  context.run();  // ends: nothing is armed any more
  CHECK(told.size() == 3);
}

TEST_CASE("a deadline that was moved is not told, and counts anew") {
  boost::asio::io_context context;
  std::vector<bool> told;
  http_deadline deadline(context.get_executor(), [&](bool first) {
    told.push_back(first);
    if (first) deadline.set(1ms);
    if (told.size() == 4) context.stop();
  });
  deadline.set(1ms);
  deadline.set(3ms);
  CHECK_FALSE(deadline.expired());
  context.run();
  CHECK(told == std::vector<bool>{true, true, true, true});
}
