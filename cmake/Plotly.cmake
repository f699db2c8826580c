# Plotly's script for the report page: build/share/ditscale/plotly.min.js, where `analysis report` looks for it from
# its own place (../share/ditscale). Fetched by `make setup`; -DDITSCALE_PLOTLY=FILE names another copy.
include(GNUInstallDirs)
find_file(DITSCALE_PLOTLY plotly.min.js PATHS "${CMAKE_SOURCE_DIR}/.plotly/plotly/package_data" NO_DEFAULT_PATH)
mark_as_advanced(DITSCALE_PLOTLY)
if(DITSCALE_PLOTLY)
  configure_file("${DITSCALE_PLOTLY}" "${CMAKE_BINARY_DIR}/share/ditscale/plotly.min.js" COPYONLY)
  install(FILES "${DITSCALE_PLOTLY}" DESTINATION "${CMAKE_INSTALL_DATADIR}/ditscale")
else()
  message(STATUS "Plotly's script was not found: `analysis report` will refuse. `make setup` fetches it.")
endif()

# ditscale_embed(<target> <name> <files…>): each file as a text in C++, ditscale::analysis::k<Name> of the generated
# <name>.hpp, so that the program needs none of them.
function(ditscale_embed target name)
  set(header "${CMAKE_CURRENT_BINARY_DIR}/generated/${name}.hpp")
  set(text "#pragma once\n#include <string_view>\nnamespace ditscale::analysis {\n")
  foreach(file IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
    file(READ "${file}" content)
    get_filename_component(stem "${file}" NAME)
    string(REGEX REPLACE "[^a-z]" "_" stem "${stem}")
    string(APPEND text "inline constexpr std::string_view k_${stem} = R\"ditscale_text(${content})ditscale_text\";\n")
  endforeach()
  file(CONFIGURE OUTPUT "${header}" CONTENT "${text}}  // namespace ditscale::analysis\n" @ONLY)
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/generated")
endfunction()
