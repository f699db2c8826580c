# ditscale::torch: LibTorch out of the Python wheel in .venv (or -DDITSCALE_TORCH_ROOT=<folder with include/ and lib/>).
# The wheel's own TorchConfig.cmake insists on a CUDA toolkit even for CPU-only programs, hence targets of our own.

set(DITSCALE_TORCH_ROOT "" CACHE PATH "LibTorch's folder (holds include/ and lib/); empty: the wheel in .venv")

set(torch_root "${DITSCALE_TORCH_ROOT}")
if(NOT torch_root)
  file(GLOB torch_root "${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch")
endif()

add_library(ditscale_torch INTERFACE)
add_library(ditscale::torch ALIAS ditscale_torch)
set(DITSCALE_HAVE_TORCH OFF)
if(NOT torch_root OR NOT EXISTS "${torch_root}/lib/libtorch_cpu.so")
  message(WARNING "LibTorch was not found in '${torch_root}': run `make setup`, or give -DDITSCALE_TORCH_ROOT=FOLDER. "
                  "The worker cannot be built without it.")
  return()
endif()

# The wheel carries headers of a newer fmt than Debian's; the two clash in any file that also logs. So the compiler
# sees a folder of links to everything the wheel has but fmt.
set(shadow "${CMAKE_BINARY_DIR}/torch-include")
file(REMOVE_RECURSE "${shadow}")
file(MAKE_DIRECTORY "${shadow}")
file(GLOB entries "${torch_root}/include/*")
foreach(entry IN LISTS entries)
  get_filename_component(name "${entry}" NAME)
  if(NOT name STREQUAL "fmt")
    file(CREATE_LINK "${entry}" "${shadow}/${name}" SYMBOLIC)
  endif()
endforeach()
target_include_directories(ditscale_torch SYSTEM INTERFACE
  "${shadow}" "${shadow}/torch/csrc/api/include")

file(GLOB nvidia_libs "${torch_root}/../nvidia/*/lib")
target_compile_definitions(ditscale_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
target_link_directories(ditscale_torch INTERFACE "${torch_root}/lib")
target_link_libraries(ditscale_torch INTERFACE
  "${torch_root}/lib/libtorch.so" "${torch_root}/lib/libtorch_cpu.so" "${torch_root}/lib/libc10.so")
set(DITSCALE_HAVE_TORCH ON)
set(DITSCALE_TORCH_LIBRARY_DIRS "${torch_root}/lib" ${nvidia_libs})
foreach(dir IN LISTS nvidia_libs)
  target_link_options(ditscale_torch INTERFACE "LINKER:-rpath-link,${dir}")
endforeach()
if(DITSCALE_HAVE_CUDA)
  target_link_libraries(ditscale_torch INTERFACE
    "-Wl,--push-state,--no-as-needed,-ltorch_cuda,--pop-state" "${torch_root}/lib/libc10_cuda.so" ditscale::cuda)
endif()
