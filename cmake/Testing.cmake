# ditscale_add_unit_tests(<room> [LIBS <targets…>]): tests/unit/<room>/*.cpp become the binary test_<room> and one ctest
# entry unit_<room> (LibTorch takes long to load, so there is none per test). The tests see DITSCALE_SOURCE_DIR, and
# the room's precompiled header where it has one. A run of no tests at all is a failure.

enable_testing()

function(ditscale_add_unit_tests room)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/${room}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(test_${room} ${sources})
  # Tests compute little: the compiler's time is what counts.
  target_compile_options(test_${room} PRIVATE $<$<CONFIG:Release>:-O1>)
  target_link_libraries(test_${room} PRIVATE ${arg_LIBS} GTest::gmock GTest::gtest_main rapidcheck)
  target_compile_definitions(test_${room} PRIVATE DITSCALE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  get_target_property(header ditscale_${room} PRECOMPILE_HEADERS)
  if(header)
    target_precompile_headers(test_${room} REUSE_FROM ditscale_${room})
    ditscale_limit_jobs(test_${room})
    ditscale_join_units(test_${room} 7)
  endif()
  add_test(NAME unit_${room} COMMAND test_${room} --gtest_brief=1 WORKING_DIRECTORY "${CMAKE_BINARY_DIR}")
  set_tests_properties(unit_${room} PROPERTIES
    LABELS "unit;${room}"
    TIMEOUT 600
    FAIL_REGULAR_EXPRESSION "\\] 0 tests from")
endfunction()

# ditscale_add_script_test(<name> COMMAND <program> <arguments…>): a test that is a script; exit code 77 means skipped.
function(ditscale_add_script_test name)
  cmake_parse_arguments(arg "" "" "COMMAND" ${ARGN})
  add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES LABELS tools TIMEOUT 120 SKIP_RETURN_CODE 77)
endfunction()
