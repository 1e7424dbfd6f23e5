#include <corbel/trace.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace corbel {

namespace {
bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool is_zero(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '0'; });
}
/// Splitmix64: a thread's state is one word, for a library that is loaded late has little room for such.
std::uint64_t not_zero() {
  thread_local std::uint64_t state = (std::uint64_t{std::random_device{}()} << 32) ^ std::random_device{}();
  for (;;) {
    auto n = state += 0x9e3779b97f4a7c15u;
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9u;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebu;
    if (n ^= n >> 31; n != 0) return n;
  }
}
}  // namespace

std::optional<trace_context> trace_context::parse(std::string_view t) {
  constexpr std::size_t size = 55;
  if (t.size() < size || t[2] != '-' || t[35] != '-' || t[52] != '-') return {};
  const auto version = t.substr(0, 2), trace = t.substr(3, 32), span = t.substr(36, 16), flags = t.substr(53, 2);
  if (!is_hex(version) || !is_hex(trace) || !is_hex(span) || !is_hex(flags)) return {};
  if (version == "ff" || is_zero(trace) || is_zero(span)) return {};
  if (t.size() > size && (version == "00" || t[size] != '-')) return {};
  return trace_context("00" + std::string(t.substr(2, size - 2)));
}

trace_context trace_context::follow(std::string_view traceparent) {
  const auto from = parse(traceparent);
  const auto trace = from ? from->trace_id() : fmt::format("{:016x}{:016x}", not_zero(), not_zero());
  const auto flags = from ? from->text_.substr(53, 2) : "01";
  return trace_context(fmt::format("00-{}-{:016x}-{}", trace, not_zero(), flags));
}

bool trace_context::sampled() const { return (text_[54] >= 'a' ? text_[54] - 'a' + 10 : text_[54] - '0') & 1; }

}  // namespace corbel
