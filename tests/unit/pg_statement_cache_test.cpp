#include "postgres/statement_cache.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

using corbel::pg_statement;
using corbel::detail::statement_cache;

TEST_CASE("prepared at the first use, by text and types of parameters") {
  statement_cache c(10);
  const auto first = c.next_use(pg_statement("SELECT $1", 1));
  CHECK(first.must_prepare);
  CHECK(c.next_use(pg_statement("SELECT $1", 2)).name == nullptr);
  c.confirm(first.number);
  const auto again = c.next_use(pg_statement("SELECT $1", 2));
  CHECK_FALSE(again.must_prepare);
  CHECK(again.number == first.number);
  CHECK(statement_cache::name_of(again.number) == again.name);
  CHECK(c.next_use(pg_statement("SELECT $1", "text")).must_prepare);
  CHECK(c.next_use(pg_statement("SELECT $1")).must_prepare);
  CHECK(c.size() == 3);
}

TEST_CASE("switched off, or not wanted: unprepared") {
  statement_cache off(0), on(10);
  CHECK(off.next_use(pg_statement("SELECT 1")).name == nullptr);
  CHECK(on.next_use(pg_statement("SELECT 1").unprepared()).name == nullptr);
  CHECK(on.size() == 0);
}

TEST_CASE("forgotten, it is prepared again under a new name") {
  statement_cache c(10);
  const auto first = c.next_use(pg_statement("SELECT 1"));
  c.forget(first.number);
  const auto second = c.next_use(pg_statement("SELECT 1"));
  CHECK(second.must_prepare);
  CHECK(second.number != first.number);
  c.clear();
  CHECK(c.next_use(pg_statement("SELECT 1")).must_prepare);
}

TEST_CASE("random uses: the limit holds, and the least recently used goes") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    std::minstd_rand random(seed);
    statement_cache c(5);
    std::vector<int> model;  // most recently used first
    std::map<int, std::uint64_t> numbers;
    for (int step = 0; step < 200; ++step) {
      const int which = static_cast<int>(random() % 9);
      const auto u = c.next_use(pg_statement("SELECT " + std::to_string(which)));
      auto it = std::find(model.begin(), model.end(), which);
      CHECK(u.must_prepare == (it == model.end()));
      c.confirm(u.number);
      if (it != model.end()) {
        CHECK(u.number == numbers[which]);
        model.erase(it);
      } else if (model.size() == 5) {
        CHECK(u.evicted == numbers[model.back()]);
        model.pop_back();
      } else {
        CHECK(u.evicted == 0);
      }
      model.insert(model.begin(), which);
      numbers[which] = u.number;
      CHECK(c.size() == model.size());
    }
  }
}
