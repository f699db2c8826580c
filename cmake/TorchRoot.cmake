# Where LibTorch is and what it was built for, looked up before CUDA, which must fit it.
# Results: ditscale_torch_root (empty when there is none), ditscale_torch_cuda_version ("13.0", empty for a CPU build),
# ditscale_torch_nvidia_dirs (the library folders of the NVIDIA wheels beside it), ditscale_torch_cuda_libs_complete.

set(DITSCALE_TORCH_ROOT "" CACHE PATH "LibTorch's folder, with include/ and lib/ in it; empty: the wheel in .venv")

set(ditscale_torch_root "${DITSCALE_TORCH_ROOT}")
if(NOT ditscale_torch_root)
  file(GLOB ditscale_torch_root "${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch")
endif()

if(NOT EXISTS "${ditscale_torch_root}/lib/libtorch_cpu.so")
  if(DITSCALE_TORCH_ROOT)
    message(FATAL_ERROR "DITSCALE_TORCH_ROOT=${DITSCALE_TORCH_ROOT} holds no lib/libtorch_cpu.so. Give the folder "
                        "that has LibTorch's include/ and lib/ in it, or leave it empty and run `make setup`.")
  endif()
  set(ditscale_torch_root "")
  message(WARNING "LibTorch was not found: run `make setup`, or configure with -DDITSCALE_TORCH_ROOT=FOLDER. "
                  "Without it there is no worker.")
endif()

# A wheel says what it was built for in version.py; LibTorch's zip archive in the file build-version (2.11.0+cu130).
set(ditscale_torch_cuda_version "")
if(EXISTS "${ditscale_torch_root}/version.py")
  file(STRINGS "${ditscale_torch_root}/version.py" line REGEX "^cuda")
  if(line MATCHES "'([0-9]+\\.[0-9]+)'")
    set(ditscale_torch_cuda_version "${CMAKE_MATCH_1}")
  endif()
elseif(EXISTS "${ditscale_torch_root}/build-version")
  file(STRINGS "${ditscale_torch_root}/build-version" line LIMIT_COUNT 1)
  if(line MATCHES "\\+cu([0-9]+)([0-9])$")
    set(ditscale_torch_cuda_version "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}")
  endif()
endif()

file(GLOB ditscale_torch_nvidia_dirs "${ditscale_torch_root}/../nvidia/*/lib")
list(TRANSFORM ditscale_torch_nvidia_dirs REPLACE "/torch/\\.\\./nvidia/" "/nvidia/")

# `make setup` fetches the CUDA libraries (2.5 GB) only where there is a toolkit.
set(ditscale_torch_cuda_libs_complete OFF)
file(GLOB cublas "${ditscale_torch_root}/../nvidia/*/lib/libcublas.so*" "${ditscale_torch_root}/lib/libcublas*.so*")
if(cublas AND EXISTS "${ditscale_torch_root}/lib/libtorch_cuda.so")
  set(ditscale_torch_cuda_libs_complete ON)
endif()
