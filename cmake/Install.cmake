# cmake --install build --prefix DIR: bin/ with the three programs, share/ditscale/sweeps/ with sweep files to copy.
# LibTorch stays where it is: the installed worker finds it by its rpath.
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
install(DIRECTORY "${CMAKE_SOURCE_DIR}/sweeps/" DESTINATION "${CMAKE_INSTALL_DATADIR}/ditscale/sweeps"
  FILES_MATCHING PATTERN "*.json")
