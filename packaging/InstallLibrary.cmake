# What a program that links libsockswap needs. Two install components: sockswap-runtime (the library) and
# sockswap-development (headers, pkg-config and CMake package files).
include(CMakePackageConfigHelpers)

set(packaging ${CMAKE_SOURCE_DIR}/packaging)
set(cmake_package ${CMAKE_INSTALL_LIBDIR}/cmake/sockswap)

install(TARGETS sockswap EXPORT sockswap-c
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    COMPONENT sockswap-runtime NAMELINK_COMPONENT sockswap-development)
install(TARGETS sockswap_cpp EXPORT sockswap-cpp)
install(FILES
  ${CMAKE_SOURCE_DIR}/include/sockswap/sockswap.h ${CMAKE_SOURCE_DIR}/include/sockswap/sockswap.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sockswap COMPONENT sockswap-development)

# One export a package component; the C++ wrapper needs the C library.
foreach(component IN ITEMS c cpp)
  install(EXPORT sockswap-${component}
    FILE sockswap-${component}-targets.cmake
    NAMESPACE sockswap::
    DESTINATION ${cmake_package} COMPONENT sockswap-development)
endforeach()
configure_package_config_file(${packaging}/sockswapConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/sockswapConfig.cmake INSTALL_DESTINATION ${cmake_package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/sockswapConfigVersion.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMajorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/sockswapConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/sockswapConfigVersion.cmake
  DESTINATION ${cmake_package} COMPONENT sockswap-development)

file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${packaging}/sockswap.pc.in ${CMAKE_CURRENT_BINARY_DIR}/sockswap.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sockswap.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sockswap-development)
