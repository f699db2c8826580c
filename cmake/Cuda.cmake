# CUDA is on when a toolkit is found: kernels compile and link on a machine without a GPU too.
# Result: DITSCALE_HAVE_CUDA, and ditscale::cuda (runtime library, DITSCALE_HAVE_CUDA=1), which exists always
# and is empty without CUDA, so that rooms need no condition of their own.

set(DITSCALE_CUDA AUTO CACHE STRING "Build for GPUs: AUTO (when nvcc is found), ON or OFF")
set_property(CACHE DITSCALE_CUDA PROPERTY STRINGS AUTO ON OFF)

add_library(ditscale_cuda INTERFACE)
add_library(ditscale::cuda ALIAS ditscale_cuda)
set(DITSCALE_HAVE_CUDA OFF)

if(DITSCALE_CUDA STREQUAL "OFF")
  return()
endif()

find_program(DITSCALE_NVCC nvcc HINTS ENV CUDA_HOME PATHS /usr/local/cuda/bin /opt/cuda/bin)
if(NOT DITSCALE_NVCC)
  if(DITSCALE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "DITSCALE_CUDA=ON, but nvcc was not found: put the CUDA toolkit's bin folder on PATH, "
                        "set CUDA_HOME, or configure with -DDITSCALE_CUDA=OFF.")
  endif()
  return()
endif()

# Ampere, Hopper, and PTX for what comes after.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES "80-real;90" CACHE STRING "GPU architectures to compile for")
endif()
set(CMAKE_CUDA_COMPILER "${DITSCALE_NVCC}")
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)  # one runtime in the process: LibTorch's
enable_language(CUDA)
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
find_package(CUDAToolkit REQUIRED)

set(DITSCALE_HAVE_CUDA ON)
target_link_libraries(ditscale_cuda INTERFACE CUDA::cudart)
target_compile_definitions(ditscale_cuda INTERFACE DITSCALE_HAVE_CUDA=1)
