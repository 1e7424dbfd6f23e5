// Lesson: statements with parameters on a PostgreSQL pool. Many callers share its connections; each statement has its own
// outcome, and a server's error says its SQLSTATE and what it is about.
//
//     DATABASE_URL=postgresql://postgres@localhost/postgres build/dev/examples/lessons/lesson_cpp_query
#include <corbel/pg_pool.hpp>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

int main() {
  std::puts("lesson: query");
  const char *url = std::getenv("DATABASE_URL");
  corbel::runtime rt({.name = "query"});
  corbel::pg_pool pool(rt, {.conninfo = url ? url : "postgresql://postgres@localhost/postgres"});
  const auto run = [&pool](corbel::pg_statement s) { return pool.query(std::move(s)).value(); };  // throws failure

  run(corbel::pg_statement("DROP TABLE IF EXISTS lesson_people"));
  run(corbel::pg_statement("CREATE TABLE lesson_people (name text PRIMARY KEY, age int)"));
  run(corbel::pg_statement("INSERT INTO lesson_people VALUES ($1, $2)", "ada", 36));
  run(corbel::pg_statement("INSERT INTO lesson_people VALUES ($1, $2)", "bob", std::nullopt));

  const auto people = run(corbel::pg_statement("SELECT name, age FROM lesson_people ORDER BY name"));
  for (auto row : people) {
    const auto age = row.get<std::optional<int>>("age");
    std::printf("%s is %s\n", row.get<std::string>("name").c_str(), age ? std::to_string(*age).c_str() : "unknown");
  }

  const auto again = pool.query(corbel::pg_statement("INSERT INTO lesson_people VALUES ($1, $2)", "ada", 36));
  const auto why = again.error();
  const auto *constraint = why.field("constraint");
  std::printf("%s: %s, %s\n", corbel::status_name(why.code()), why.native().c_str(), constraint ? constraint->c_str() : "");
  run(corbel::pg_statement("DROP TABLE lesson_people"));
}
