# ditscale::torch: LibTorch as a target of our own. The wheel's TorchConfig.cmake insists on a CUDA toolkit even for
# programs that use the CPU only. Result: DITSCALE_HAVE_TORCH. With CUDA the program can use GPUs where there are some and
# runs without a driver where there are none.

set(DITSCALE_HAVE_TORCH OFF)
add_library(ditscale_torch INTERFACE)
add_library(ditscale::torch ALIAS ditscale_torch)
if(NOT ditscale_torch_root)
  return()
endif()

# The wheel carries headers of a newer fmt than the system's, and a file that sees both does not compile. So the
# compiler is shown a folder of links to all of the wheel's headers but fmt; made once for each wheel.
function(ditscale_shadow_torch_headers from to)
  file(GLOB names RELATIVE "${from}" "${from}/*")
  if(EXISTS "${to}/torch")
    file(READ_SYMLINK "${to}/torch" linked)
    if(linked STREQUAL "${from}/torch")
      return()
    endif()
  endif()
  file(REMOVE_RECURSE "${to}")
  file(MAKE_DIRECTORY "${to}")
  list(REMOVE_ITEM names fmt)
  foreach(name IN LISTS names)
    file(CREATE_LINK "${from}/${name}" "${to}/${name}" SYMBOLIC)
  endforeach()
endfunction()

set(shadow "${CMAKE_BINARY_DIR}/torch-include")
ditscale_shadow_torch_headers("${ditscale_torch_root}/include" "${shadow}")
target_include_directories(ditscale_torch SYSTEM INTERFACE "${shadow}" "${shadow}/torch/csrc/api/include")

target_compile_definitions(ditscale_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
target_link_libraries(ditscale_torch INTERFACE
  "${ditscale_torch_root}/lib/libtorch_cpu.so" "${ditscale_torch_root}/lib/libc10.so" Threads::Threads)

# ditscale_use_torch_threads(<file>…): LibTorch's parallel loops are templates, which run on one thread in a file that is
# not compiled with OpenMP. The program must not load a second OpenMP library beside LibTorch's, so it is linked to that
# one.
file(GLOB ditscale_torch_openmp "${ditscale_torch_root}/lib/libgomp*.so*")
if(ditscale_torch_openmp)
  list(GET ditscale_torch_openmp 0 ditscale_torch_openmp)
else()
  set(ditscale_torch_openmp gomp)  # a LibTorch that uses the system's
endif()
target_link_libraries(ditscale_torch INTERFACE "${ditscale_torch_openmp}")
function(ditscale_use_torch_threads)
  set_source_files_properties(${ARGN} PROPERTIES
    COMPILE_OPTIONS "-fopenmp"
    SKIP_PRECOMPILE_HEADERS ON
    SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# The linker must see what LibTorch's libraries need in their turn; at run time their own rpath finds it.
foreach(dir IN LISTS ditscale_torch_nvidia_dirs)
  target_link_options(ditscale_torch INTERFACE "LINKER:-rpath-link,${dir}")
endforeach()

if(DITSCALE_HAVE_CUDA)
  # Nothing of ours calls into libtorch_cuda: it registers its kernels as it is loaded, so the linker must not drop it.
  target_link_directories(ditscale_torch INTERFACE "${ditscale_torch_root}/lib")
  target_link_libraries(ditscale_torch INTERFACE
    "-Wl,--push-state,--no-as-needed,-ltorch_cuda,--pop-state"
    "${ditscale_torch_root}/lib/libc10_cuda.so"
    ditscale::cuda)
endif()
set(DITSCALE_HAVE_TORCH ON)
