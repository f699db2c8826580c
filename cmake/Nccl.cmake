# ditscale::nccl: the copy of NCCL that LibTorch itself loads, so that a process holds one of them only.
# Result: DITSCALE_HAVE_NCCL. The target exists always and is empty without NCCL.

set(DITSCALE_HAVE_NCCL OFF)
add_library(ditscale_nccl INTERFACE)
add_library(ditscale::nccl ALIAS ditscale_nccl)
if(NOT DITSCALE_HAVE_CUDA)
  return()
endif()

# The header must belong to the library: the wheel's pair first, then the toolkit's, then the system's.
set(nccl_wheel "${ditscale_torch_root}/../nvidia/nccl")
cmake_path(NORMAL_PATH nccl_wheel)
find_path(DITSCALE_NCCL_INCLUDE nccl.h
  HINTS "${nccl_wheel}/include" ${CUDAToolkit_INCLUDE_DIRS} PATHS /usr/local/include)
find_library(DITSCALE_NCCL_LIBRARY NAMES libnccl.so.2 nccl
  HINTS "${nccl_wheel}/lib" "${CUDAToolkit_LIBRARY_DIR}" PATHS /usr/local/lib)
mark_as_advanced(DITSCALE_NCCL_INCLUDE DITSCALE_NCCL_LIBRARY)
if(NOT DITSCALE_NCCL_INCLUDE OR NOT DITSCALE_NCCL_LIBRARY)
  message(WARNING "CUDA is on, but NCCL was not found (nccl.h, libnccl.so.2): trials on several GPUs need it. "
                  "Run `make setup`, or install Debian's or NVIDIA's libnccl-dev.")
  return()
endif()

target_include_directories(ditscale_nccl SYSTEM INTERFACE "${DITSCALE_NCCL_INCLUDE}")
target_link_libraries(ditscale_nccl INTERFACE "${DITSCALE_NCCL_LIBRARY}" ditscale::cuda)
target_compile_definitions(ditscale_nccl INTERFACE DITSCALE_HAVE_NCCL=1)
set(DITSCALE_HAVE_NCCL ON)
