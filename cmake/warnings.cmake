# Warnings are errors in everything built here; the dependencies' headers are system headers.
add_library(corbel_warnings INTERFACE)
target_compile_options(corbel_warnings INTERFACE -Wall -Wextra -Wshadow -Werror
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Wold-style-cast>)
