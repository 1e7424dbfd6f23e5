# Links programs with mold when it is there: there are over a hundred tests, each with the whole library in it. The shared
# library is linked as it is distributed.
find_program(CORBEL_MOLD mold)
if(CORBEL_MOLD AND CORBEL_TESTS)
  add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-fuse-ld=mold>)
endif()
