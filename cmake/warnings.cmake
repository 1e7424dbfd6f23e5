# Warnings are errors in everything built here; the dependencies' headers are system headers.
add_library(corbel_warnings INTERFACE)
target_compile_options(corbel_warnings INTERFACE -Wall -Wextra -Wshadow -Werror
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Wold-style-cast>)
# GCC 12 warns falsely: of coroutine frames of Asio, whose operator new it inlines and whose operator delete it does not; and of
# std::variant and std::optional, whose inactive member it takes for uninitialized.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(corbel_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-mismatched-new-delete -Wno-maybe-uninitialized>)
endif()
