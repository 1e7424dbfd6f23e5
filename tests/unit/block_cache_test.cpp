#include <corbel/detail/block_cache.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

using corbel::detail::block_allocator;
using corbel::detail::block_cache;

TEST_CASE("blocks in use are never the same, however they come and go") {
  std::mt19937 random(11);
  std::vector<void *> used;
  std::set<void *> distinct;
  for (int i = 0; i < 20'000; ++i) {
    if (used.empty() || random() % 5 < (i / 2000 % 2 == 0 ? 3u : 2u)) {
      void *b = block_cache::allocate();
      std::memset(b, 0x5a, block_cache::block_size);
      REQUIRE(distinct.insert(b).second);
      used.push_back(b);
    } else {
      std::swap(used[random() % used.size()], used.back());
      distinct.erase(used.back());
      block_cache::release(used.back());
      used.pop_back();
    }
  }
  for (auto *b : used) block_cache::release(b);
}

TEST_CASE("blocks that go from thread to thread keep what was written to them, and end with their threads") {
  constexpr int writers = 2, readers = 2, each = 20'000;
  std::mutex mutex;
  std::vector<std::uint64_t *> handed;
  std::atomic<int> written{0}, checked{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        auto *b = static_cast<std::uint64_t *>(block_cache::allocate());
        const auto mark = static_cast<std::uint64_t>(++written);
        for (std::size_t k = 0; k < block_cache::block_size / 8; ++k) b[k] = mark;
        std::lock_guard lock(mutex);
        handed.push_back(b);
      }
    });
  for (int r = 0; r < readers; ++r)
    threads.emplace_back([&] {
      while (checked < writers * each) {
        std::vector<std::uint64_t *> got;
        {
          std::lock_guard lock(mutex);
          got.swap(handed);
        }
        for (auto *b : got) {
          for (std::size_t k = 1; k < block_cache::block_size / 8; ++k) wrong += b[k] != b[0];
          block_cache::release(b);
          ++checked;
        }
        if (got.empty()) std::this_thread::yield();
      }
    });
  for (auto &t : threads) t.join();
  CHECK(wrong == 0);
}

TEST_CASE("strings of any length live in it") {
  std::basic_string<char, std::char_traits<char>, block_allocator<char>> s;
  for (int i = 0; i < 1000; ++i) {
    s += static_cast<char>('a' + i % 26);
    CHECK(s[static_cast<std::size_t>(i / 2)] == 'a' + i / 2 % 26);
  }
  s.resize(20);
  s.shrink_to_fit();
  CHECK(s == "abcdefghijklmnopqrst");
}
