# A room is one top-level folder: a static library ditscale_<room>, and for three of them a program.

# Compiling a file with LibTorch's headers takes over a gigabyte: at most two at once, whatever -j says.
set_property(GLOBAL APPEND PROPERTY JOB_POOLS torch_pool=2)

# ditscale_limit_jobs(<target>): compiles the target's files in the small job pool (Ninja only), and lets GCC fill two
# gigabytes before it looks for garbage among LibTorch's templates: a tenth of the time.
function(ditscale_limit_jobs target)
  set_target_properties(${target} PROPERTIES
    JOB_POOL_COMPILE torch_pool
    JOB_POOL_PRECOMPILE_HEADER torch_pool)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:--param=ggc-min-heapsize=2000000>)
endfunction()

# ditscale_join_units(<target> <n>): compiles n of the target's files to a unit, so that LibTorch's templates are paid for
# once in each: names in unnamed namespaces must differ. Files of their own compile options stay alone. -DDITSCALE_UNITY=OFF compiles every file by itself, which
# is what one wants while editing.
option(DITSCALE_UNITY "Compile several files of worker/ and its tests in one unit" ON)
function(ditscale_join_units target batch_size)
  if(DITSCALE_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${batch_size})
  endif()
endfunction()

# ditscale_add_room(<room> [LIBS <targets…>]): library ditscale_<room> of all .cpp files (and .cu files, when
# CUDA is on) below the current folder but main.cpp; also known as ditscale::<room>.
function(ditscale_add_room room)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/main.cpp")
  if(DITSCALE_HAVE_CUDA)
    file(GLOB_RECURSE kernels CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cu")
  endif()
  if(NOT sources)
    add_library(ditscale_${room} INTERFACE)
    target_link_libraries(ditscale_${room} INTERFACE ${arg_LIBS})
  else()
    add_library(ditscale_${room} STATIC ${sources} ${kernels})
    target_link_libraries(ditscale_${room} PUBLIC ${arg_LIBS})
  endif()
  add_library(ditscale::${room} ALIAS ditscale_${room})
endfunction()

# ditscale_add_program(<name> [LIBS <targets…>]): bin/<name> of the current folder's main.cpp.
function(ditscale_add_program name)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/main.cpp")
    return()
  endif()
  add_executable(${name} main.cpp)
  target_link_libraries(${name} PRIVATE ${arg_LIBS})
endfunction()
