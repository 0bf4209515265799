# Everything from Debian 12; the reason for each stands in DESIGN.md.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(MNL REQUIRED IMPORTED_TARGET libmnl)
pkg_check_modules(URING IMPORTED_TARGET liburing)
pkg_check_modules(NETTLE REQUIRED IMPORTED_TARGET nettle)

find_path(TL_EXPECTED_INCLUDE_DIR tl/expected.hpp REQUIRED)
find_path(ASIO_INCLUDE_DIR asio.hpp REQUIRED)
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)

add_library(sockswap_asio INTERFACE)
target_include_directories(sockswap_asio SYSTEM INTERFACE ${ASIO_INCLUDE_DIR})
target_compile_definitions(sockswap_asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED
  # asio 1.22 finds aligned allocation by the order of includes: files would disagree on how to free.
  ASIO_DISABLE_STD_ALIGNED_ALLOC)
target_link_libraries(sockswap_asio INTERFACE Threads::Threads OpenSSL::SSL)
