# cmake --install build --prefix DIR: the three programs and the sweep files to copy from.
include(GNUInstallDirs)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
