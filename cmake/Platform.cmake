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
# -O2 compiles noticeably faster than CMake's -O3 and runs as fast: the loops that matter ask for -O3 themselves.
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
# Installed programs, too, find libraries of modules, Spack and conda where they were linked.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH TRUE)

# Includes are rooted at the repository: #include "common/error.hpp".
include_directories("${CMAKE_SOURCE_DIR}")

# One cache for all build folders and clones: paths are taken relative to the source, and a precompiled header's
# definitions and time stamps are left to the compiler to check.
find_program(DITSCALE_CCACHE ccache)
mark_as_advanced(DITSCALE_CCACHE)
if(DITSCALE_CCACHE)
  set(launcher env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime "${DITSCALE_CCACHE}")
  foreach(language IN ITEMS C CXX CUDA)
    if(NOT CMAKE_${language}_COMPILER_LAUNCHER)
      set(CMAKE_${language}_COMPILER_LAUNCHER ${launcher})
    endif()
  endforeach()
endif()

option(DITSCALE_SANITIZE "Build with the address and undefined-behaviour sanitizers" OFF)
if(DITSCALE_SANITIZE)
  add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=address,undefined>
                      $<$<COMPILE_LANGUAGE:C,CXX>:-fno-omit-frame-pointer>)
  add_link_options(-fsanitize=address,undefined)
endif()

find_package(Threads REQUIRED)
