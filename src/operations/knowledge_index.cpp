#include "operations/knowledge_index.hpp"

#include "runtime/runtime_core.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <set>

namespace corbel {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {
constexpr const char *make_table =
    "CREATE TABLE IF NOT EXISTS corbel_kb_resources (tenant text NOT NULL, project text NOT NULL, path text NOT NULL, type "
    "text NOT NULL, fingerprint text NOT NULL, size bigint NOT NULL, version bigint NOT NULL DEFAULT 1, indexed_at "
    "timestamptz "
    "NOT NULL DEFAULT now(), body text NOT NULL, words tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED, "
    "PRIMARY KEY (tenant, project, path))";
constexpr const char *make_index =
    "CREATE INDEX IF NOT EXISTS corbel_kb_resources_words ON corbel_kb_resources USING gin (words)";
constexpr const char *upsert =
    "INSERT INTO corbel_kb_resources (tenant, project, path, type, fingerprint, size, body) VALUES ($1, $2, $3, $4, $5, $6, "
    "$7) "
    "ON CONFLICT (tenant, project, path) DO UPDATE SET type = $4, fingerprint = $5, size = $6, body = $7, version = "
    "corbel_kb_resources.version + 1, indexed_at = now() WHERE corbel_kb_resources.fingerprint <> $5";
}  // namespace

knowledge_index::knowledge_index(runtime &rt, pg_pool pg, host_identity who, std::string folder)
    : rt_(rt), pg_(std::move(pg)), who_(std::move(who)), folder_(std::move(folder)), timer_(rt.executor()) {}

void knowledge_index::start(std::chrono::milliseconds every) {
  every_ = every;
  asio::co_spawn(
      rt_.executor(), [self = shared_from_this()] { return self->follow(); }, asio::detached);
}

void knowledge_index::stop() {
  stopped_ = true;
  timer_.cancel();
}

asio::awaitable<void> knowledge_index::follow() {
  while (!stopped_) {
    busy_ = true;
    trouble_ = co_await look();
    busy_ = false;
    if (stopped_) break;
    set_health(rt_, {.part = "index",
                     .state = trouble_.empty() ? health_state::ok : health_state::degraded,
                     .reason = trouble_,
                     .fresh_for = every_ + 60s});
    timer_.expires_after(every_);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

asio::awaitable<result<void>> knowledge_index::make() {
  for (auto sql : {make_table, make_index})
    if (auto r = co_await pg_.async_query(pg_statement(sql), asio::use_awaitable); !r) co_return r.error();
  auto rows = co_await pg_.async_query(
      pg_statement("SELECT path, fingerprint FROM corbel_kb_resources WHERE tenant = $1 AND project = $2", who_.tenant,
                   who_.project)
          .read_only(),
      asio::use_awaitable);
  if (!rows) co_return rows.error();
  for (std::size_t i = 0; i < rows->rows(); ++i) known_[std::string(rows->bytes(i, 0))] = rows->bytes(i, 1);
  made_ = true;
  co_return result<void>();
}

asio::awaitable<result<void>> knowledge_index::store(text_file f) {
  auto r = co_await pg_.async_query(pg_statement(upsert, who_.tenant, who_.project, f.path, f.type, f.fingerprint,
                                                 static_cast<std::int64_t>(f.size), f.text)
                                        .idempotent(),
                                    asio::use_awaitable);
  if (!r) co_return r.error();
  known_[f.path] = f.fingerprint;
  co_return result<void>();
}

asio::awaitable<result<void>> knowledge_index::read_stats() {
  auto rows = co_await pg_.async_query(
      pg_statement(
          "SELECT type, count(*), sum(version)::bigint, sum(size)::bigint FROM corbel_kb_resources WHERE tenant = $1 "
          "AND project = $2 GROUP BY type",
          who_.tenant, who_.project)
          .read_only(),
      asio::use_awaitable);
  if (!rows) co_return rows.error();
  knowledge_stats s;
  for (std::size_t i = 0; i < rows->rows(); ++i) {
    const auto count = rows->get<std::int64_t>(i, 1);
    s.by_type[std::string(rows->bytes(i, 0))] = count;
    s.resources += count;
    s.versions += rows->get<std::int64_t>(i, 2);
    s.bytes += rows->get<std::int64_t>(i, 3);
  }
  stats_ = std::move(s);
  co_return result<void>();
}

asio::awaitable<std::string> knowledge_index::look() {
  if (!made_)
    if (auto r = co_await make(); !r) co_return r.error().message();
  std::string fault;
  for (bool more = true; more && !stopped_;) {
    auto scan = std::make_shared<text_scan>();
    auto done = std::make_shared<asio::steady_timer>(rt_.executor(), 70s);
    auto ran = std::make_shared<bool>(false);
    rt_.core()->blocking().run(
        rt_.core()->first_loop(), 60s, [scan, folder = folder_, known = known_] { *scan = scan_text_files(folder, known); },
        [done, ran](bool in_time) {
          *ran = in_time;
          done->cancel();
        });
    co_await done->async_wait(asio::as_tuple(asio::use_awaitable));
    if (!*ran) co_return folder_ + " was not read within 60 s";
    if (!scan->faults.empty()) fault = scan->faults.front();
    more = scan->changed.size() >= 200;
    for (auto &f : scan->changed)
      if (auto r = co_await store(std::move(f)); !r) co_return r.error().message();
    if (more || (!scan->faults.empty() && scan->present.empty())) continue;
    const std::set<std::string> present(scan->present.begin(), scan->present.end());
    for (auto k = known_.begin(); k != known_.end();) {
      if (present.contains(k->first)) {
        ++k;
        continue;
      }
      auto r = co_await pg_.async_query(
          pg_statement("DELETE FROM corbel_kb_resources WHERE tenant = $1 AND project = $2 AND path = $3", who_.tenant,
                       who_.project, k->first)
              .idempotent(),
          asio::use_awaitable);
      if (!r) co_return r.error().message();
      k = known_.erase(k);
    }
  }
  if (auto r = co_await read_stats(); !r) co_return r.error().message();
  co_return fault;
}

}  // namespace corbel
