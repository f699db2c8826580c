# Language standard, build type, output folders: what every target of the project shares.

if(CMAKE_SOURCE_DIR STREQUAL CMAKE_BINARY_DIR)
  message(FATAL_ERROR "Build in a folder of its own: cmake --preset release")
endif()

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

# Includes are rooted at the repository: #include "common/error.hpp".
include_directories("${CMAKE_SOURCE_DIR}")

# A precompiled header is found through ccache only with these relaxations (set in the Makefile too).
find_program(DITSCALE_CCACHE ccache)
if(DITSCALE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${DITSCALE_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${DITSCALE_CCACHE}")
  set(CMAKE_CUDA_COMPILER_LAUNCHER "${DITSCALE_CCACHE}")
endif()

option(DITSCALE_SANITIZE "Build with the address and undefined-behaviour sanitizers" OFF)
if(DITSCALE_SANITIZE)
  add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=address,undefined>
                      $<$<COMPILE_LANGUAGE:C,CXX>:-fno-omit-frame-pointer>)
  add_link_options(-fsanitize=address,undefined)
endif()

find_package(Threads REQUIRED)
