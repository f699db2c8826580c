# What was configured, in four lines.
message(STATUS "ditscale ${PROJECT_VERSION}: ${CMAKE_BUILD_TYPE}, ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
message(STATUS "  LibTorch ${DITSCALE_HAVE_TORCH} (${torch_root})")
message(STATUS "  CUDA     ${DITSCALE_HAVE_CUDA} (${DITSCALE_NVCC})")
message(STATUS "  NCCL     ${DITSCALE_HAVE_NCCL} (${DITSCALE_NCCL_LIBRARY})")
