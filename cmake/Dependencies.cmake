# Debian's libraries as targets: those with a good CMake package keep their own names, the rest are
# ditscale::hdf5, ditscale::xxhash, ditscale::hwloc. A missing one names the package that brings it.

function(ditscale_missing what package)
  message(FATAL_ERROR
    "${what} was not found. Install the Debian package ${package}:\n"
    "    sudo apt-get install ${package}\n"
    "or run `make setup`, which installs everything that is missing.")
endfunction()

# ditscale_find(<CMake package> <Debian package> [arguments of find_package…])
macro(ditscale_find name package)
  find_package(${name} QUIET ${ARGN})
  if(NOT ${name}_FOUND)
    ditscale_missing(${name} ${package})
  endif()
endmacro()

# ditscale_find_library(<target> <Debian package> HEADER <h> LIBRARY <names…> [SUFFIXES <include suffixes…>])
function(ditscale_find_library target package)
  cmake_parse_arguments(arg "" "HEADER" "LIBRARY;SUFFIXES" ${ARGN})
  find_path(DITSCALE_${target}_INCLUDE ${arg_HEADER} PATH_SUFFIXES ${arg_SUFFIXES})
  find_library(DITSCALE_${target}_LIBRARY NAMES ${arg_LIBRARY})
  mark_as_advanced(DITSCALE_${target}_INCLUDE DITSCALE_${target}_LIBRARY)
  if(NOT DITSCALE_${target}_INCLUDE OR NOT DITSCALE_${target}_LIBRARY)
    ditscale_missing(${arg_HEADER} ${package})
  endif()
  add_library(ditscale::${target} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(ditscale::${target} PROPERTIES
    IMPORTED_LOCATION "${DITSCALE_${target}_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${DITSCALE_${target}_INCLUDE}")
endfunction()

set(MPI_CXX_SKIP_MPICXX TRUE)                       # the C interface is all we use
ditscale_find(MPI libopenmpi-dev COMPONENTS C)      # MPI::MPI_C
ditscale_find(nlohmann_json nlohmann-json3-dev)     # nlohmann_json::nlohmann_json
ditscale_find(simdjson libsimdjson-dev)             # simdjson::simdjson
ditscale_find(fmt libfmt-dev)                       # fmt::fmt
ditscale_find(spdlog libspdlog-dev)                 # spdlog::spdlog
ditscale_find(CLI11 libcli11-dev)                   # CLI11::CLI11
ditscale_find(SQLite3 libsqlite3-dev)               # SQLite::SQLite3
ditscale_find(SQLiteCpp libsqlitecpp-dev)           # SQLiteCpp
ditscale_find(Eigen3 libeigen3-dev)                 # Eigen3::Eigen
ditscale_find(PNG libpng-dev)                       # PNG::PNG
ditscale_find(JPEG libjpeg-dev)                     # JPEG::JPEG; must be libjpeg-turbo, as it is on Debian and Ubuntu
ditscale_find(ZLIB zlib1g-dev)                      # ZLIB::ZLIB
if(BUILD_TESTING)
  ditscale_find(GTest libgtest-dev)                 # GTest::gtest, GTest::gtest_main, GTest::gmock
  ditscale_find(rapidcheck librapidcheck-dev)       # rapidcheck
endif()

ditscale_find_library(hdf5 libhdf5-dev HEADER hdf5.h LIBRARY hdf5_serial hdf5 SUFFIXES hdf5/serial)
ditscale_find_library(xxhash libxxhash-dev HEADER xxhash.h LIBRARY xxhash)
ditscale_find_library(hwloc libhwloc-dev HEADER hwloc.h LIBRARY hwloc)
