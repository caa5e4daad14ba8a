# spak_add_kernel() and spak_add_runtime(): kernels and their runtime as CMake targets. `doit build`, `pip wheel` and a user's
# own project all come through here.
include_guard(GLOBAL)

get_filename_component(SPAK_CMAKE_DIR "${CMAKE_CURRENT_LIST_DIR}" REALPATH)
get_filename_component(_spak_package "${SPAK_CMAKE_DIR}/.." REALPATH)
get_filename_component(SPAK_INCLUDE_DIR "${_spak_package}/include" REALPATH)
get_filename_component(_spak_runtime_dir "${_spak_package}/build/runtime_sources" REALPATH)
get_filename_component(_spak_sim_dir "${_spak_package}/build/sim_sources" REALPATH)

# Nothing of a folder's name may enter a binary; no symbol may leave it but the module's init function.
set(_spak_options -std=c++20 -O2 -fPIC -fvisibility=hidden -fvisibility-inlines-hidden -ffunction-sections -fdata-sections
  -fno-gnu-unique)

# Sets `out` to the options that keep the names of folders out of binaries: messages of headers hold their file's path.
function(_spak_nameless out)
  set(options "-ffile-prefix-map=${SPAK_INCLUDE_DIR}=include" "-ffile-prefix-map=${CMAKE_CURRENT_BINARY_DIR}=.")
  foreach(dir IN LISTS ARGN)
    get_filename_component(real "${dir}" REALPATH)
    list(APPEND options "-ffile-prefix-map=${dir}=include" "-ffile-prefix-map=${real}=include")
  endforeach()
  set(${out} ${options} PARENT_SCOPE)
endfunction()

# Sets SPAK_PYTHON, the interpreter that kernels are built for, unless whoever calls CMake has.
macro(_spak_find_python)
  if(NOT DEFINED SPAK_PYTHON)
    find_package(Python 3.11 REQUIRED COMPONENTS Interpreter)
    set(SPAK_PYTHON "${Python_EXECUTABLE}" CACHE FILEPATH "The Python that kernels are built for")
  endif()
endmacro()

# Sets SPAK_PYTHON_INCLUDES, the headers of Python and of pybind11.
macro(_spak_find_headers)
  if(NOT DEFINED SPAK_PYTHON_INCLUDES)
    _spak_find_python()
    execute_process(
      COMMAND "${SPAK_PYTHON}" -c "import sysconfig, pybind11; print(sysconfig.get_path('include') + ';' + pybind11.get_include(), end='')"
      OUTPUT_VARIABLE _spak_includes COMMAND_ERROR_IS_FATAL ANY)
    set(SPAK_PYTHON_INCLUDES "${_spak_includes}" CACHE STRING "Headers of Python and pybind11")
  endif()
endmacro()

# spak_add_runtime(<name> ENGINE host|sim|nvrtc): the static library that kernel modules are linked with. What all engines share is
# compiled once in a project.
function(spak_add_runtime name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ENGINE" "")
  if(NOT TARGET spak_runtime_shared)
    file(GLOB sources CONFIGURE_DEPENDS "${_spak_runtime_dir}/*.cpp")
    add_library(spak_runtime_shared OBJECT ${sources})
    _spak_runtime_options(spak_runtime_shared)
  endif()
  set(sources)
  if(arg_ENGINE STREQUAL "nvrtc")
    file(GLOB sources CONFIGURE_DEPENDS "${_spak_runtime_dir}/cuda/*.cpp")
  elseif(arg_ENGINE STREQUAL "sim")
    file(STRINGS "${_spak_sim_dir}/sources.txt" sources)
    list(TRANSFORM sources PREPEND "${_spak_sim_dir}/")
  endif()
  add_library(${name} STATIC ${sources} $<TARGET_OBJECTS:spak_runtime_shared>)
  _spak_runtime_options(${name})
endfunction()

# How sources of a runtime are compiled.
function(_spak_runtime_options name)
  _spak_find_headers()
  target_include_directories(${name} PRIVATE "${SPAK_INCLUDE_DIR}" "${_spak_sim_dir}")
  target_include_directories(${name} SYSTEM PRIVATE ${SPAK_PYTHON_INCLUDES})
  _spak_nameless(nameless ${SPAK_PYTHON_INCLUDES})
  target_compile_options(${name} PRIVATE ${_spak_options} -DNDEBUG ${nameless}
    "-ffile-prefix-map=${_spak_runtime_dir}=runtime" "-ffile-prefix-map=${_spak_sim_dir}=sim")
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

# spak_add_kernel(<name> UNIT <unit> TARGET <target> [VARIANT <variant>] [PROJECT <dir>])
#
# The module <unit>_<target> of a SPAK project, as a CMake target <name> that builds <unit>_<target>.so. The replies must be
# there: `doit build` makes them. PROJECT is the folder with the dodo.py, by default the current source folder.
#
# spak_add_kernel(<name> GLUE <dir> RUNTIME <library>)
#
# The same from host code that is rendered already; this is what `doit build` calls. With CHECKED there is beside it, in the folder
# `checked`, a module of the same name whose device code tells the simulator of each of its accesses: it is for verification alone.
function(spak_add_kernel name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "CHECKED" "UNIT;TARGET;VARIANT;PROJECT;GLUE;RUNTIME" "")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "spak_add_kernel(${name}): unexpected ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_GLUE)
    _spak_render(${name})
  endif()
  include("${arg_GLUE}/kernel.cmake")
  if(NOT arg_RUNTIME)
    set(arg_RUNTIME spak_runtime_${SPAK_ENGINE})
    if(NOT TARGET ${arg_RUNTIME})
      spak_add_runtime(${arg_RUNTIME} ENGINE ${SPAK_ENGINE})
    endif()
  endif()

  list(TRANSFORM SPAK_SOURCES PREPEND "${arg_GLUE}/" OUTPUT_VARIABLE sources)
  # The target's own flags are for the device code alone; the launcher's time is spent elsewhere.
  set_source_files_properties("${arg_GLUE}/kernel.cpp" PROPERTIES COMPILE_OPTIONS "${SPAK_KERNEL_OPTIONS}")
  _spak_module(${name} ${sources})
  target_link_options(${name} PRIVATE LINKER:--strip-all)
  if(arg_CHECKED)
    # GCC's checks name a header as it was found, whatever prefixes are mapped: so it is found from the build folder.
    set(relative)
    set(number 0)
    foreach(dir IN LISTS SPAK_TOOLKIT_INCLUDES)
      math(EXPR number "${number} + 1")
      file(CREATE_LINK "${dir}" "${CMAKE_BINARY_DIR}/toolkit${number}" SYMBOLIC)
      list(APPEND relative "-isystemtoolkit${number}")
    endforeach()
    file(CREATE_LINK "${SPAK_INCLUDE_DIR}" "${CMAKE_BINARY_DIR}/include" SYMBOLIC)
    set_source_files_properties("${arg_GLUE}/checked.cpp" PROPERTIES COMPILE_OPTIONS "${SPAK_CHECKED_OPTIONS};-Iinclude;${relative}")
    _spak_module(${name}_checked "${arg_GLUE}/checked.cpp" "$<FILTER:$<TARGET_OBJECTS:${name}>,EXCLUDE,kernel.cpp>")
    set_target_properties(${name}_checked PROPERTIES INCLUDE_DIRECTORIES "" LIBRARY_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/checked")
  endif()
endfunction()

# A module of kernel.cmake from `sources`, for spak_add_kernel().
macro(_spak_module name)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" OUTPUT_NAME "${SPAK_MODULE}" SUFFIX ".so")
  target_include_directories(${name} PRIVATE "${SPAK_INCLUDE_DIR}")
  _spak_nameless(nameless ${SPAK_TOOLKIT_INCLUDES})
  target_compile_options(${name} PRIVATE ${_spak_options} ${nameless} "-Wa,-I${arg_GLUE}" "-ffile-prefix-map=${arg_GLUE}=.")
  if(SPAK_TOOLKIT_INCLUDES)
    target_include_directories(${name} SYSTEM PRIVATE ${SPAK_TOOLKIT_INCLUDES})
  endif()
  target_link_libraries(${name} PRIVATE ${arg_RUNTIME} ${CMAKE_DL_LIBS})
  if(SPAK_ENGINE STREQUAL "sim")
    target_link_options(${name} PRIVATE "LINKER:-T,${SPAK_CMAKE_DIR}/simulator.ld")
  endif()
  target_link_options(${name} PRIVATE ${SPAK_LINK_OPTIONS} LINKER:--gc-sections LINKER:--exclude-libs,ALL
    LINKER:--build-id=none LINKER:--as-needed LINKER:-z,relro,-z,now LINKER:-z,noexecstack)
endmacro()

# Has SPAK render the host code of a project's kernel, and sets arg_GLUE to where it is.
macro(_spak_render name)
  foreach(key UNIT TARGET)
    if(NOT arg_${key})
      message(FATAL_ERROR "spak_add_kernel(${name}): ${key} is missing")
    endif()
  endforeach()
  if(NOT arg_PROJECT)
    set(arg_PROJECT "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  set(arg_GLUE "${CMAKE_CURRENT_BINARY_DIR}/spak/${name}")
  set(_spak_variant)
  if(arg_VARIANT)
    set(_spak_variant --variant ${arg_VARIANT})
  endif()
  _spak_run(${arg_UNIT} ${arg_TARGET} ${_spak_variant} --out "${arg_GLUE}")
  include("${arg_GLUE}/inputs.cmake")
  list(TRANSFORM SPAK_INPUTS PREPEND "${arg_PROJECT}/")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${SPAK_INPUTS})
endmacro()

# `spak glue ...` in arg_PROJECT.
macro(_spak_run)
  _spak_find_python()
  get_filename_component(_spak_path "${_spak_package}/.." REALPATH)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env "PYTHONPATH=${_spak_path}" "${SPAK_PYTHON}" -m spak -C "${arg_PROJECT}" glue ${ARGN}
    RESULT_VARIABLE _spak_failed)
  if(_spak_failed)
    message(FATAL_ERROR "SPAK could not render the host code; its messages are above")
  endif()
endmacro()

# spak_add_package(<name> [PROJECT <dir>] [DESTINATION <dir>]): every generated kernel of a project, installed as an import
# package of that name with its loader.
function(spak_add_package package)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PROJECT;DESTINATION" "")
  if(NOT arg_PROJECT)
    set(arg_PROJECT "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  if(NOT arg_DESTINATION)
    set(arg_DESTINATION ${package})
  endif()
  set(glue "${CMAKE_CURRENT_BINARY_DIR}/spak/${package}")
  _spak_run(--package ${package} --out "${glue}")
  file(STRINGS "${glue}/kernels.txt" rows)
  foreach(row IN LISTS rows)
    separate_arguments(row)
    list(GET row 0 kernel)
    list(GET row 1 place)
    include("${glue}/${kernel}/inputs.cmake")
    list(TRANSFORM SPAK_INPUTS PREPEND "${arg_PROJECT}/")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${SPAK_INPUTS})
    spak_add_kernel(${package}.${kernel} GLUE "${glue}/${kernel}")
    install(TARGETS ${package}.${kernel} LIBRARY DESTINATION "${arg_DESTINATION}/${place}")
  endforeach()
  install(DIRECTORY "${glue}/package/" DESTINATION "${arg_DESTINATION}")
endfunction()
