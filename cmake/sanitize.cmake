# CORBEL_SANITIZE builds everything here with sanitizers; the presets asan and tsan set it.
if(CORBEL_SANITIZE)
  list(JOIN CORBEL_SANITIZE "," sanitizers)
  add_compile_options(-fsanitize=${sanitizers} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${sanitizers})
  add_compile_definitions(CORBEL_SANITIZED)
  if("undefined" IN_LIST CORBEL_SANITIZE)
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  if("thread" IN_LIST CORBEL_SANITIZE)
    # ThreadSanitizer cannot follow Asio's fences, of which GCC 12 warns wherever they are: leave out those that do nothing on
    # one thread's scheduler, and do not warn of the rest (the counts of its executors).
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
    add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-tsan>)
  endif()
endif()
