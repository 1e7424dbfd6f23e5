#pragma once
/// Where the programs corbel-git and corbel-run are, and what of this process's environment the first gets. Thread: any; not
/// while another one changes the environment.

#include <corbel/result.hpp>

#include <string>
#include <vector>

namespace corbel::detail {

/// given: a path, or empty: the environment's CORBEL_GIT, else relative to the file that holds this code, the shared library
/// or the program: as it was installed, or built. Errors: status::unavailable, native "PROGRAM", which names the places.
result<std::string> find_git_program(const std::string &given);
/// The same for corbel-run and CORBEL_RUN.
result<std::string> find_run_program(const std::string &given);

/// What a program that fetches may need: search paths, the proxy, certificates, the ssh agent; and no more.
std::vector<std::string> git_environment();

}  // namespace corbel::detail
