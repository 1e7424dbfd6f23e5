# The installed package: libraries, public headers, CMake config, pkg-config file, licence. Nothing in it holds an absolute
# path, so that the folder may be moved.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/corbel)

# Two export sets, because a program that uses only the C library needs none of the C++ library's dependencies.
install(TARGETS corbel_c EXPORT corbel_c LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS corbel_cpp EXPORT corbel_cpp ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS corbel_git corbel_run RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR})
install(EXPORT corbel_c FILE corbel_c.cmake NAMESPACE corbel:: DESTINATION ${package_dir})
install(EXPORT corbel_cpp FILE corbel_cpp.cmake NAMESPACE corbel:: DESTINATION ${package_dir})

install(FILES include/corbel.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/corbel DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h PATTERN *.hpp)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_package_config_file(cmake/corbelConfig.cmake.in ${PROJECT_BINARY_DIR}/corbelConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# Minor versions of 0.x may change the C++ API; the C API keeps what it has, see corbel_header_compatible.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/corbelConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/corbelConfig.cmake ${PROJECT_BINARY_DIR}/corbelConfigVersion.cmake DESTINATION ${package_dir})

cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_INCLUDEDIR BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
  OUTPUT_VARIABLE corbel_pc_include)
configure_file(cmake/corbel.pc.in ${PROJECT_BINARY_DIR}/corbel.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/corbel.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
