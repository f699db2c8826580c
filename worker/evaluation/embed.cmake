# Included by worker/CMakeLists.txt: builds fashion_cnn.h5 into the library. The object is made anew when the weights
# change (ccache steps aside for .incbin by itself).
set_source_files_properties("${CMAKE_CURRENT_LIST_DIR}/fashion_cnn_weights.cpp" PROPERTIES
  COMPILE_DEFINITIONS "DITSCALE_FASHION_CNN_FILE=\"${CMAKE_CURRENT_LIST_DIR}/fashion_cnn.h5\""
  OBJECT_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/fashion_cnn.h5"
  SKIP_PRECOMPILE_HEADERS ON)
