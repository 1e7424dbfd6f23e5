// What a connection of a pool takes in this process, beside one of libpq alone; each has run a prepared statement.
//
//     bench_pg_memory --port 5432 --connections 64
//
// Prints {"libpq_kib", "corbel_kib"}: private memory by connection.

#include "measure.h"
#include "process.hpp"

#include <corbel/pg_pool.hpp>

#include <boost/asio/use_future.hpp>

#include <chrono>
#include <libpq-fe.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using connection = std::unique_ptr<PGconn, decltype(&::PQfinish)>;

double by_libpq(const std::string &conninfo, int count) {
  std::vector<connection> all;
  all.reserve(static_cast<std::size_t>(count));
  const auto open = [&] {
    connection c(::PQconnectdb(conninfo.c_str()), ::PQfinish);
    if (::PQstatus(c.get()) != CONNECTION_OK) throw std::runtime_error(::PQerrorMessage(c.get()));
    ::PQclear(::PQprepare(c.get(), "s", "SELECT 1", 0, nullptr));
    ::PQclear(::PQexecPrepared(c.get(), "s", 0, nullptr, nullptr, nullptr, 0));
    return c;
  };
  open();  // what the library itself takes once
  const auto before = bench::private_kib();
  for (int i = 0; i < count; i++) all.push_back(open());
  return static_cast<double>(bench::private_kib() - before) / count;
}

double by_pool(const std::string &conninfo, std::uint32_t count) {
  corbel::runtime rt;
  corbel::pg_options options;
  options.conninfo = conninfo;
  options.max_size = count;
  corbel::pg_pool pool(rt, options);
  pool.query(corbel::pg_statement("SELECT 1")).value();
  const auto before = bench::private_kib();
  {
    std::vector<corbel::pg_lease> all;
    for (std::uint32_t i = 0; i < count; i++) {
      all.push_back(pool.async_lease(boost::asio::use_future).get().value());
      all.back().async_query(corbel::pg_statement("SELECT 1"), boost::asio::use_future).get().value();
    }
  }
  const auto taken = static_cast<double>(bench::private_kib() - before) / (count - 1);
  rt.shutdown(std::chrono::seconds(2)).value();
  return taken;
}

}  // namespace

int main(int argc, char **argv) try {
  const auto conninfo =
      std::string("host=127.0.0.1 user=postgres dbname=postgres sslmode=disable gssencmode=disable port=") +
      measure_option(argc, argv, "port", "5432");
  const auto count = static_cast<int>(measure_number(argc, argv, "connections", 64));
  const auto libpq = by_libpq(conninfo, count);
  const auto pool = by_pool(conninfo, static_cast<std::uint32_t>(count));
  std::printf("{\"libpq_kib\": %.2f, \"corbel_kib\": %.2f}\n", libpq, pool);
  return 0;
} catch (const std::exception &e) {
  std::fprintf(stderr, "bench_pg_memory: %s\n", e.what());
  return 1;
}
