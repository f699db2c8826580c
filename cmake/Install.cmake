# cmake --install build --prefix DIR: bin/ with the three programs, share/ditscale/ with sweep files to copy, the
# report's script and completion for bash.
# LibTorch stays where it is, as do other libraries: the installed worker finds it by its rpath. A wheel inside the source
# tree is none that CMake would name by itself.
include(GNUInstallDirs)

if(TARGET worker)
  set_target_properties(worker PROPERTIES
    INSTALL_RPATH "${ditscale_torch_root}/lib;${ditscale_torch_nvidia_dirs}")
endif()

foreach(program IN ITEMS orchestrator worker analysis)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()
install(FILES "${CMAKE_SOURCE_DIR}/tools/completion.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/ditscale")
install(DIRECTORY "${CMAKE_SOURCE_DIR}/sweeps/" DESTINATION "${CMAKE_INSTALL_DATADIR}/ditscale/sweeps"
  FILES_MATCHING PATTERN "*.json" PATTERN spec EXCLUDE)
