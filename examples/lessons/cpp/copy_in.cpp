// Lesson: COPY is the quick way for many rows into a table. Data goes in pieces, cut anywhere; nothing is kept unless the
// end is confirmed. Results larger than memory come back in pieces too.
//
//     DATABASE_URL=postgresql://postgres@localhost/postgres build/dev/examples/lessons/lesson_cpp_copy_in
#include <corbel/pg_pool.hpp>

#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace asio = boost::asio;

int main() {
  std::puts("lesson: copy_in");
  const char *url = std::getenv("DATABASE_URL");
  corbel::runtime rt({.name = "copy_in"});
  corbel::pg_pool pool(rt, {.conninfo = url ? url : "postgresql://postgres@localhost/postgres"});
  auto lease = pool.async_lease(asio::use_future).get().value();
  const auto run = [&lease](const char *sql) {
    lease.async_query(corbel::pg_statement(sql), asio::use_future).get().value();
  };
  run("DROP TABLE IF EXISTS lesson_numbers");
  run("CREATE TABLE lesson_numbers (n int, square bigint)");

  auto copy = lease.async_copy_in("COPY lesson_numbers FROM STDIN", {}, asio::use_future).get().value();
  std::string piece;  // some rows at a time: columns parted by tabs, rows by newlines
  for (long n = 1; n <= 10000; n++) {
    piece += std::to_string(n) + '\t' + std::to_string(n * n) + '\n';
    if (piece.size() < 4000 && n < 10000) continue;
    copy.async_write(std::move(piece), {}, asio::use_future).get().value();  // completes when the server takes more
    piece.clear();
  }
  const auto copied = copy.async_finish({}, asio::use_future).get().value();
  std::printf("copied %d rows\n", static_cast<int>(copied));

  auto rows =
      lease.async_stream(corbel::pg_statement("SELECT n FROM lesson_numbers"), 500, {}, asio::use_future).get().value();
  std::size_t seen = 0;
  for (;;) {
    const auto some = rows.async_next({}, asio::use_future).get().value();  // at most 500; none is the end
    if (some.empty()) break;
    seen += some.rows();
  }
  std::printf("streamed %d rows\n", static_cast<int>(seen));
  run("DROP TABLE lesson_numbers");
}
