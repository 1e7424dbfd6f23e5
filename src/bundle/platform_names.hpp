#pragma once
/// How the platform's own processes name what they keep of a bundle under their managed root. Pure; any thread.

#include <string>
#include <string_view>

namespace corbel::detail {

/// What is no letter, digit, '-', '_' or '.' as '-'; without '-' and '_' around it; "head" when nothing is left.
std::string platform_ref(std::string_view ref);

/// "<repository>__<id>__<ref>"; the id is left out where it is the repository's name, the ref where it is empty.
std::string platform_folder(std::string_view repository, std::string_view id, std::string_view ref);

/// Of the file lock, in the folder .bundle-locks: "<id>__<ref>.lock", '-' for '@'.
std::string platform_lock_file(std::string_view id, std::string_view ref);

/// "kdcube:bundles:git-lock:<tenant>:<project>:shared:<id>:<ref>"
std::string platform_lock_key(std::string_view tenant, std::string_view project, std::string_view id, std::string_view ref);

/// What stands in .kdcube.git-bundle.json beside a checkout.
struct platform_marker {
  std::string bundle_id, git_url, git_ref, git_subdir, commit;
  std::string text() const;
};

}  // namespace corbel::detail
