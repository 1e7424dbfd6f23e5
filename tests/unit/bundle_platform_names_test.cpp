// Names that the platform's own processes give.
#include "bundle/platform_names.hpp"

#include <doctest/doctest.h>

using namespace corbel::detail;

TEST_CASE("folders, locks and keys") {
  CHECK(platform_folder("customer-repo", "app@2-0", "bundle-v2026.02.22") == "customer-repo__app@2-0__bundle-v2026.02.22");
  CHECK(platform_folder("app", "app", "main") == "app__main");
  CHECK(platform_folder("app", "app", "") == "app");
  CHECK(platform_folder("repo", "app", "") == "repo__app");
  CHECK(platform_ref("feature/a b") == "feature-a-b");
  CHECK(platform_ref("_/x/_") == "x");
  CHECK(platform_ref("//") == "head");
  CHECK(platform_ref("") == "head");
  CHECK(platform_lock_file("app@2-0", "feature/a") == "app-2-0__feature-a.lock");
  CHECK(platform_lock_file("app", "") == "app.lock");
  CHECK(platform_lock_key("t", "p", "app@1", "") == "kdcube:bundles:git-lock:t:p:shared:app@1:head");
}

TEST_CASE("the marker") {
  const platform_marker m{"app@1", "https://h/app.git", "main", "", "0123456789012345678901234567890123456789"};
  CHECK(m.text() == R"({
  "bundle_id": "app@1",
  "commit": "0123456789012345678901234567890123456789",
  "git_ref": "main",
  "git_subdir": null,
  "git_url": "https://h/app.git",
  "normalized_git_url": "https://h/app.git",
  "schema": 1
})");
}
