# The kernel's rules that src/process and src/check rely on, one program.
find_package(GTest REQUIRED)
include(GoogleTest)

add_executable(sockswap_contract_process
  ${CMAKE_CURRENT_LIST_DIR}/process_features.cpp
  ${CMAKE_CURRENT_LIST_DIR}/process_ptrace.cpp)
target_link_libraries(sockswap_contract_process PRIVATE sockswap::check GTest::gtest_main Threads::Threads)
if(TARGET PkgConfig::URING)
  target_sources(sockswap_contract_process PRIVATE ${CMAKE_CURRENT_LIST_DIR}/process_io_uring.cpp)
  target_link_libraries(sockswap_contract_process PRIVATE PkgConfig::URING)
endif()
gtest_discover_tests(sockswap_contract_process PROPERTIES LABELS contract TIMEOUT 60)
