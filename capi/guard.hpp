#pragma once
/// Owns: the boundary between C and C++: errors out, options in, nothing thrown across. Callers: every file of capi.

#include <corbel.h>
#include <corbel/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

struct corbel_error {
  corbel::error value;
};
struct corbel_text {
  std::string value;
};

namespace corbel::capi {

/// A corbel_error for e; never NULL for an error, also when memory is out.
corbel_error *make_error(const error &e) noexcept;

inline corbel_status report(corbel_error **err, const error &e) noexcept {
  if (err) *err = e ? make_error(e) : nullptr;
  return static_cast<corbel_status>(e.code());
}

/// Runs a body that returns an error (success when empty), and turns what it throws into one.
template <class Body>
corbel_status guard(corbel_error **err, Body &&body) noexcept {
  try {
    return report(err, body());
  } catch (const failure &f) {
    return report(err, f.error());
  } catch (const std::bad_alloc &) {
    return report(err, error::out_of_memory());
  } catch (const std::exception &x) {
    return report(err, error(status::internal, fmt::format("unexpected: {}", x.what())));
  } catch (...) {
    return report(err, error(status::internal, "unexpected exception"));
  }
}

inline error invalid(std::string text) { return error(status::invalid, std::move(text)); }

/// Copies what the caller's version of an option struct has over zeroes. known_flags: bits that mean something.
template <class T>
error read_options(const T *in, T &out, const char *name, std::uint32_t known_flags = 0) {
  out = T{};
  if (!in) return invalid(fmt::format("{} is NULL", name));
  std::uint32_t size = 0;
  std::memcpy(&size, in, sizeof size);
  if (size < 2 * sizeof(std::uint32_t))
    return invalid(fmt::format("{}.struct_size is {}: set it to sizeof({})", name, size, name));
  const auto *bytes = reinterpret_cast<const unsigned char *>(in);
  if (size > sizeof(T) && std::any_of(bytes + sizeof(T), bytes + size, [](unsigned char b) { return b != 0; }))
    return error(status::unsupported,
                 fmt::format("{} has members that this library (version {}) does not know", name, corbel_version_string()));
  std::memcpy(&out, in, std::min<std::size_t>(size, sizeof(T)));
  if (out.flags & ~known_flags)
    return invalid(fmt::format("{}.flags has unknown bits: {:#x}", name, out.flags & ~known_flags));
  return {};
}

inline std::string text_or(const char *text, const char *otherwise) { return text ? text : otherwise; }

}  // namespace corbel::capi
