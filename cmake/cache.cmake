# Compiles through ccache when it is there, set up so that precompiled headers hit: ccache needs these "sloppiness" values,
# and the compiler has to leave time stamps and the header's text out of the precompiled file's use.
find_program(CORBEL_CCACHE ccache)
if(CORBEL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(sloppiness pch_defines,time_macros,include_file_mtime,include_file_ctime)
  set(CMAKE_C_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=${sloppiness} ${CORBEL_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_C_COMPILER_LAUNCHER})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
  else()
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
  endif()
endif()
