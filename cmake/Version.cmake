# ditscale_version.hpp with kVersion and kRevision. It is looked at in every build and changes with every commit, so
# one source file per program includes it at most. Link ditscale::version to see it.

set(version_dir "${CMAKE_BINARY_DIR}/generated")
add_custom_target(ditscale_write_version
  COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${CMAKE_SOURCE_DIR} -DVERSION=${PROJECT_VERSION}
          -DHEADER=${version_dir}/ditscale_version.hpp -P ${CMAKE_SOURCE_DIR}/cmake/WriteVersion.cmake
  BYPRODUCTS "${version_dir}/ditscale_version.hpp"
  COMMENT "Looking at the git revision" VERBATIM)

add_library(ditscale_version INTERFACE)
add_library(ditscale::version ALIAS ditscale_version)
target_include_directories(ditscale_version INTERFACE "${version_dir}")
add_dependencies(ditscale_version ditscale_write_version)
