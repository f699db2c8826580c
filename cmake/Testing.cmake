# ditscale_add_unit_tests(<room> [LIBS <targets…>] [TORCH]): tests/unit/<room>/*.cpp become the binary test_<room> and
# one ctest entry (LibTorch takes a second or more to start, so there is none per test). An empty run is a failure.

enable_testing()

function(ditscale_add_unit_tests room)
  cmake_parse_arguments(arg "TORCH" "" "LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/${room}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(test_${room} ${sources})
  target_link_libraries(test_${room} PRIVATE ${arg_LIBS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(test_${room} PRIVATE DITSCALE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  if(arg_TORCH)
    ditscale_limit_jobs(test_${room})
  endif()
  add_test(NAME unit_${room} COMMAND test_${room} --gtest_brief=1 WORKING_DIRECTORY "${CMAKE_BINARY_DIR}")
  set_tests_properties(unit_${room} PROPERTIES LABELS "unit;${room}" TIMEOUT 600
    FAIL_REGULAR_EXPRESSION "0 tests from 0 test suites")
endfunction()
