# ditscale::nccl: the copy of NCCL that LibTorch itself uses, so that a process holds one of them only.
# Result: DITSCALE_HAVE_NCCL; the target exists always and is empty without NCCL.

add_library(ditscale_nccl INTERFACE)
add_library(ditscale::nccl ALIAS ditscale_nccl)
set(DITSCALE_HAVE_NCCL OFF)
if(NOT DITSCALE_HAVE_CUDA)
  return()
endif()

find_path(DITSCALE_NCCL_INCLUDE nccl.h
  HINTS "${torch_root}/../nvidia/nccl/include" ${CUDAToolkit_INCLUDE_DIRS})
find_library(DITSCALE_NCCL_LIBRARY NAMES libnccl.so.2 nccl
  HINTS "${torch_root}/../nvidia/nccl/lib" "${CUDAToolkit_LIBRARY_DIR}")
if(DITSCALE_NCCL_INCLUDE AND DITSCALE_NCCL_LIBRARY)
  set(DITSCALE_HAVE_NCCL ON)
  target_include_directories(ditscale_nccl SYSTEM INTERFACE "${DITSCALE_NCCL_INCLUDE}")
  target_link_libraries(ditscale_nccl INTERFACE "${DITSCALE_NCCL_LIBRARY}" ditscale::cuda)
  target_compile_definitions(ditscale_nccl INTERFACE DITSCALE_HAVE_NCCL=1)
endif()
