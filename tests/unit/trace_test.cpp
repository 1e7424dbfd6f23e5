#include <corbel/log.hpp>
#include <corbel/trace.hpp>

#include <doctest/doctest.h>

using namespace corbel;

TEST_CASE("a traceparent is read exactly") {
  const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  auto t = trace_context::parse(good);
  REQUIRE(t);
  CHECK(t->trace_id() == "0af7651916cd43dd8448eb211c80319c");
  CHECK(t->span_id() == "b7ad6b7169203331");
  CHECK(t->sampled());
  CHECK(t->text() == good);
  CHECK(trace_context::parse("01" + good.substr(2) + "-more")->text() == good);  // a later version goes on
  CHECK_FALSE(trace_context::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")->sampled());
  for (auto bad :
       {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
    CHECK_FALSE(trace_context::parse(bad));
}

TEST_CASE("following keeps the trace and makes a span") {
  const std::string from = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  auto a = trace_context::follow(from), b = trace_context::follow(from);
  CHECK(a.trace_id() == "0af7651916cd43dd8448eb211c80319c");
  CHECK(a.span_id() != "b7ad6b7169203331");
  CHECK(a.span_id() != b.span_id());
  CHECK_FALSE(a.sampled());
  auto fresh = trace_context::follow("nonsense");
  CHECK(trace_context::parse(fresh.text()));
  CHECK(fresh.sampled());
  CHECK(fresh.trace_id() != trace_context::follow("").trace_id());
}

TEST_CASE("the context of a line becomes its fields") {
  log_context c{.request_id = "r1",
                .tenant = "home",
                .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                .error_class = "timeout",
                .duration = std::chrono::microseconds(1500)};
  std::string all;
  for (auto &f : c.fields()) all += f.name + "=" + f.value + " ";
  CHECK(all ==
        "request_id=r1 tenant=home trace_id=0af7651916cd43dd8448eb211c80319c span_id=b7ad6b7169203331 error_class=timeout "
        "duration_ms=1.500 ");
  CHECK(log_context{}.fields().empty());
}
