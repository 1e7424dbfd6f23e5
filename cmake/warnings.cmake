# Warnings are errors in everything built here; the dependencies' headers are system headers.
add_library(corbel_warnings INTERFACE)
target_compile_options(corbel_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Werror)
set_property(TARGET corbel_warnings PROPERTY EXPORT_NAME warnings)

if(CORBEL_SANITIZE)
  string(REPLACE ";" "," corbel_sanitizers "${CORBEL_SANITIZE}")
  add_compile_options(-fsanitize=${corbel_sanitizers} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${corbel_sanitizers})
  if(CORBEL_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-error=tsan>)
  endif()
endif()
