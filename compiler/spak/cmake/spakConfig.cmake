# find_package(spak): gives spak_add_kernel() and the headers. Configure with -Dspak_DIR=$(spak cmake-dir).
include("${CMAKE_CURRENT_LIST_DIR}/SpakKernels.cmake")
if(NOT TARGET spak::headers)
  add_library(spak::headers INTERFACE IMPORTED)
  set_target_properties(spak::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${SPAK_INCLUDE_DIR}")
endif()
set(spak_FOUND TRUE)
