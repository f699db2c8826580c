# Warnings are errors in our own code. Foreign headers come in as SYSTEM and are silent.

set(DITSCALE_CXX_WARNINGS
  -Wall
  -Wextra
  -Wpedantic
  -Wshadow
  -Wnon-virtual-dtor
  -Woverloaded-virtual
  -Wcast-qual
  -Wunused
  -Wduplicated-cond
  -Wlogical-op
  -Wextra-semi)

option(DITSCALE_WERROR "Treat warnings as errors" ON)
if(DITSCALE_WERROR)
  list(APPEND DITSCALE_CXX_WARNINGS -Werror)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns of overlapping copies in plain std::string concatenation (its bug 105651).
  list(APPEND DITSCALE_CXX_WARNINGS -Wno-restrict)
endif()
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Clang knows neither of these and would stop at them.
  list(REMOVE_ITEM DITSCALE_CXX_WARNINGS -Wduplicated-cond -Wlogical-op)
endif()

foreach(flag IN LISTS DITSCALE_CXX_WARNINGS)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:${flag}>)
endforeach()

# nvcc: its own warnings, and the host compiler's main ones (the code that nvcc generates is not pedantic).
add_compile_options("$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Xcompiler -Wall,-Wextra>")
if(DITSCALE_WERROR)
  add_compile_options("$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Werror all-warnings>")
endif()
