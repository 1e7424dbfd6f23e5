#pragma once
/// Owns: which statements one connection has prepared: the least recently used goes when the limit is passed. Pure. Callers:
/// the connection. Thread: the pool's loop.
///
/// Until the server has confirmed a preparation, the same text is sent unprepared: one that fails would fail all of them,
/// with an error that is not theirs.

#include <corbel/pg_statement.hpp>

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

namespace corbel::detail {

class statement_cache {
 public:
  /// limit 0: nothing is ever prepared.
  explicit statement_cache(std::uint32_t limit) noexcept : limit_(limit) {}

  struct use {
    std::uint64_t number = 0;    // 0: send it unprepared
    const char *name = nullptr;  // on the server
    bool must_prepare = false;   // send PREPARE first
    std::uint64_t evicted = 0;   // deallocate this one; 0: none
  };
  /// What to do for a statement that is about to be sent.
  use next_use(const pg_statement &s);
  /// The server has prepared it.
  void confirm(std::uint64_t number);
  /// The server refused to prepare it, or has forgotten it.
  void forget(std::uint64_t number);
  void clear() {
    by_hash_.clear();
    entries_.clear();
  }
  std::size_t size() const noexcept { return entries_.size(); }
  static std::string name_of(std::uint64_t number) { return "corbel_" + std::to_string(number); }

 private:
  struct entry {
    std::uint64_t number;
    std::size_t hash;
    std::string name, sql;
    std::vector<std::uint32_t> types;
    bool is_confirmed;
    bool is(const pg_statement &s) const noexcept;
  };
  using list = std::list<entry>;
  void erase(list::iterator i);

  std::uint32_t limit_;
  std::uint64_t last_number_ = 0;
  list entries_;  // most recently used first
  std::unordered_multimap<std::size_t, list::iterator> by_hash_;
};

}  // namespace corbel::detail
