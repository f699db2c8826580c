# CUDA is on when a toolkit is found that fits LibTorch: kernels compile and link on a machine without a GPU too.
# Results: DITSCALE_HAVE_CUDA, DITSCALE_CUDA_REASON (why it is off), and ditscale::cuda (headers, the runtime library,
# DITSCALE_HAVE_CUDA=1). The target exists always and is empty without CUDA, so that rooms need no condition of their own.

set(DITSCALE_CUDA AUTO CACHE STRING "Build for GPUs: AUTO (when a fitting toolkit is found), ON or OFF")
set_property(CACHE DITSCALE_CUDA PROPERTY STRINGS AUTO ON OFF)
if(NOT DITSCALE_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "DITSCALE_CUDA=${DITSCALE_CUDA}: use AUTO, ON or OFF.")
endif()

find_program(DITSCALE_NVCC nvcc HINTS ENV CUDA_HOME PATHS /usr/local/cuda /opt/cuda PATH_SUFFIXES bin)
mark_as_advanced(DITSCALE_NVCC)

# Sets DITSCALE_CUDA_REASON to what stands against CUDA, or to nothing.
function(ditscale_find_objection_to_cuda)
  set(reason "")
  if(DITSCALE_CUDA STREQUAL "OFF")
    set(reason "switched off with DITSCALE_CUDA=OFF")
  elseif(NOT DITSCALE_NVCC)
    set(reason "no CUDA toolkit: nvcc is neither on PATH nor below CUDA_HOME, /usr/local/cuda or /opt/cuda")
  elseif(ditscale_torch_root AND NOT ditscale_torch_cuda_version)
    set(reason "LibTorch in ${ditscale_torch_root} was built without CUDA")
  else()
    execute_process(COMMAND "${DITSCALE_NVCC}" --version OUTPUT_VARIABLE text ERROR_VARIABLE text)
    string(REGEX MATCH "release ([0-9]+)\\." found "${text}")
    set(toolkit_major "${CMAKE_MATCH_1}")
    string(REGEX MATCH "^[0-9]+" torch_major "${ditscale_torch_cuda_version}")
    if(NOT found)
      set(reason "${DITSCALE_NVCC} --version does not work: ${text}")
    elseif(torch_major AND NOT toolkit_major EQUAL torch_major)
      set(reason "the toolkit is CUDA ${toolkit_major}, but LibTorch was built for CUDA ${ditscale_torch_cuda_version}")
    elseif(ditscale_torch_root AND NOT ditscale_torch_cuda_libs_complete)
      set(reason "LibTorch's CUDA libraries are missing: run `make setup` again, now that there is a toolkit")
    endif()
  endif()
  set(DITSCALE_CUDA_REASON "${reason}" PARENT_SCOPE)
endfunction()

add_library(ditscale_cuda INTERFACE)
add_library(ditscale::cuda ALIAS ditscale_cuda)
set(DITSCALE_HAVE_CUDA OFF)

ditscale_find_objection_to_cuda()
if(DITSCALE_CUDA_REASON)
  if(DITSCALE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "DITSCALE_CUDA=ON cannot be honoured: ${DITSCALE_CUDA_REASON}.")
  endif()
  return()
endif()

if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  # Machine code for Ampere and Hopper, and PTX, which drivers translate for what comes after.
  set(CMAKE_CUDA_ARCHITECTURES "80-real;90" CACHE STRING "GPU architectures to compile for")
endif()
set(CMAKE_CUDA_COMPILER "${DITSCALE_NVCC}")
set(CMAKE_CUDA_RUNTIME_LIBRARY None)  # chosen below
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  # nvcc has it since CUDA 12; CMake 3.25 does not know yet.
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
# fmt 9 drops half of its constexpr under nvcc, from a time when that could not compile them; the other half then fails.
add_compile_definitions($<$<COMPILE_LANGUAGE:CUDA>:FMT_USE_CONSTEXPR=1>)
find_package(CUDAToolkit REQUIRED)

# One CUDA runtime in the process: the copy that LibTorch loads, or the toolkit's where LibTorch brings none.
find_library(DITSCALE_CUDART NAMES libcudart.so.${CUDAToolkit_VERSION_MAJOR}
  HINTS ${ditscale_torch_nvidia_dirs} "${ditscale_torch_root}/lib" NO_DEFAULT_PATH)
mark_as_advanced(DITSCALE_CUDART)
if(DITSCALE_CUDART)
  target_link_libraries(ditscale_cuda INTERFACE "${DITSCALE_CUDART}")
else()
  target_link_libraries(ditscale_cuda INTERFACE CUDA::cudart)
endif()
target_include_directories(ditscale_cuda SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
target_compile_definitions(ditscale_cuda INTERFACE DITSCALE_HAVE_CUDA=1)
set(DITSCALE_HAVE_CUDA ON)
