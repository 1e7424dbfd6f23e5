# CORBEL_SANITIZE builds everything here with sanitizers; the presets asan and tsan set it.
if(CORBEL_SANITIZE)
  list(JOIN CORBEL_SANITIZE "," sanitizers)
  add_compile_options(-fsanitize=${sanitizers} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${sanitizers})
  if("undefined" IN_LIST CORBEL_SANITIZE)
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  if("thread" IN_LIST CORBEL_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 warns that it cannot follow the fences in Boost.Asio.
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-error=tsan>)
  endif()
endif()
