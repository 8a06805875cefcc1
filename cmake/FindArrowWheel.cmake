# FindArrowWheel: Arrow C++ and Parquet C++ (15 or newer), from the system or from an unpacked pyarrow wheel.
#
# Looks, in this order:
#   1. in ARROW_WHEEL_DIR (variable or environment): a folder that holds pyarrow/, for those who want a certain one
#   2. for the ordinary CMake packages Arrow and Parquet
#   3. in the cache folder that scripts/fetch_arrow.sh fills: arrow-VERSION/ of $HEADRACE_CACHE, $XDG_CACHE_HOME/headrace
#      or ~/.cache/headrace
#
# Defines the targets under Arrow's own names, whichever it was:
#   Arrow::arrow_shared, Parquet::parquet_shared
#   only if present: ArrowCompute::arrow_compute_shared, ArrowAcero::arrow_acero_shared, ArrowDataset::arrow_dataset_shared
#   only from a wheel: ArrowS3::arrow_s3_shared (the S3 file system, which is a library of its own since 26; the name is ours)
# and ArrowWheel_FOUND, ArrowWheel_VERSION, ArrowWheel_INCLUDE_DIR, ArrowWheel_LIBRARY_DIR (the last two for a wheel only).
#
# The linker drops a library none of whose symbols is used: whoever wants the kernels that libarrow_compute registers
# must call arrow::compute::Initialize().

set(_aw_oldest 15)

# --- 1. asked for by name
if(NOT ARROW_WHEEL_DIR AND DEFINED ENV{ARROW_WHEEL_DIR})
  set(ARROW_WHEEL_DIR "$ENV{ARROW_WHEEL_DIR}")
endif()
set(_aw_dir "${ARROW_WHEEL_DIR}")
set(ARROW_WHEEL_DIR "${ARROW_WHEEL_DIR}" CACHE PATH "Folder of an unpacked pyarrow wheel (it holds pyarrow/)")

# --- 2. the system's
# A config file that was read cannot be unread, and Arrow's accepts only the major version that is asked for. So ask for
# one that cannot be: nothing is read, but CMake tells which versions it came across. Both packages or none: half of the
# system's and half of a wheel's would not fit together.
if(NOT _aw_dir AND NOT TARGET Arrow::arrow_shared)
  set(_aw_system TRUE)
  foreach(_aw_package IN ITEMS Arrow Parquet)
    set(_aw_asked_for "${${_aw_package}_DIR}") # what the user chose; the search below overwrites it
    find_package(${_aw_package} 9999 CONFIG QUIET)
    unset(${_aw_package}_DIR CACHE)
    if(_aw_asked_for)
      set(${_aw_package}_DIR "${_aw_asked_for}" CACHE PATH "Folder of ${_aw_package}Config.cmake")
    endif()
    if(NOT ${_aw_package}_CONSIDERED_VERSIONS)
      set(_aw_system FALSE)
    else()
      list(GET ${_aw_package}_CONSIDERED_VERSIONS 0 _aw_line)
      if(_aw_line VERSION_LESS _aw_oldest)
        message(STATUS "${_aw_package} ${_aw_line} of the system is older than ${_aw_oldest}: not used")
        set(_aw_system FALSE)
      endif()
    endif()
  endforeach()
  if(_aw_system)
    find_package(Arrow CONFIG QUIET)
    find_package(Parquet CONFIG QUIET)
  endif()
endif()
if(TARGET Arrow::arrow_shared AND TARGET Parquet::parquet_shared AND NOT ArrowWheel_LIBRARY_DIR)
  set(ArrowWheel_VERSION "${Arrow_VERSION}")
  set(_aw_where "${Arrow_DIR}")
endif()

# --- 3. fetched by scripts/fetch_arrow.sh
if(NOT _aw_where AND NOT _aw_dir)
  if(NOT "$ENV{HEADRACE_CACHE}" STREQUAL "")
    get_filename_component(_aw_cache "$ENV{HEADRACE_CACHE}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_LIST_DIR}/..")
  elseif(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(_aw_cache "$ENV{XDG_CACHE_HOME}/headrace")
  else()
    set(_aw_cache "$ENV{HOME}/.cache/headrace")
  endif()
  file(GLOB _aw_found LIST_DIRECTORIES true "${_aw_cache}/arrow-*")
  list(SORT _aw_found COMPARE NATURAL ORDER DESCENDING)
  if(_aw_found)
    list(GET _aw_found 0 _aw_dir)
  endif()
endif()

# --- the targets of a wheel
# Not in CMake's cache: a newer SDK must be seen by the next configuration without cleaning anything.
if(NOT _aw_where)
  set(ArrowWheel_INCLUDE_DIR)
  foreach(_aw_include IN ITEMS "${_aw_dir}/pyarrow/include" "${_aw_dir}/include")
    if(_aw_dir AND NOT ArrowWheel_INCLUDE_DIR AND EXISTS "${_aw_include}/arrow/util/config.h")
      set(ArrowWheel_INCLUDE_DIR "${_aw_include}")
    endif()
  endforeach()
endif()
if(NOT _aw_where AND ArrowWheel_INCLUDE_DIR)
  get_filename_component(ArrowWheel_LIBRARY_DIR "${ArrowWheel_INCLUDE_DIR}" DIRECTORY)
  file(STRINGS "${ArrowWheel_INCLUDE_DIR}/arrow/util/config.h" _aw_lines REGEX "^#define ARROW_(VERSION_STRING|SO_VERSION) ")
  foreach(_aw_line IN LISTS _aw_lines)
    if(_aw_line MATCHES "ARROW_VERSION_STRING \"([0-9.]+)\"")
      set(ArrowWheel_VERSION "${CMAKE_MATCH_1}")
    elseif(_aw_line MATCHES "ARROW_SO_VERSION \"([0-9]+)\"")
      set(_aw_so "${CMAKE_MATCH_1}")
    endif()
  endforeach()

  # _aw_library(TARGET NAME DEPENDENCY...): TARGET is libNAME.so.SO of the wheel; dependencies that are not there are left out.
  function(_aw_library target name)
    set(file "${ArrowWheel_LIBRARY_DIR}/lib${name}.so.${_aw_so}")
    if(TARGET ${target} OR NOT EXISTS "${file}")
      return()
    endif()
    add_library(${target} SHARED IMPORTED)
    # The full path needs no symlink libNAME.so, and CMake takes its folder into the RUNPATH of what it builds.
    set_target_properties(${target} PROPERTIES
      IMPORTED_LOCATION "${file}"
      IMPORTED_SONAME "lib${name}.so.${_aw_so}"
      INTERFACE_INCLUDE_DIRECTORIES "${ArrowWheel_INCLUDE_DIR}"
      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${ArrowWheel_INCLUDE_DIR}"
      INTERFACE_COMPILE_FEATURES cxx_std_20)
    foreach(dependency IN LISTS ARGN)
      if(TARGET ${dependency})
        set_property(TARGET ${target} APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${dependency})
      endif()
    endforeach()
  endfunction()

  _aw_library(Arrow::arrow_shared arrow)
  _aw_library(Parquet::parquet_shared parquet Arrow::arrow_shared)
  _aw_library(ArrowCompute::arrow_compute_shared arrow_compute Arrow::arrow_shared)
  _aw_library(ArrowAcero::arrow_acero_shared arrow_acero ArrowCompute::arrow_compute_shared Arrow::arrow_shared)
  _aw_library(ArrowDataset::arrow_dataset_shared arrow_dataset
    ArrowAcero::arrow_acero_shared ArrowCompute::arrow_compute_shared Parquet::parquet_shared Arrow::arrow_shared)
  _aw_library(ArrowS3::arrow_s3_shared arrow_s3 Arrow::arrow_shared)
  if(TARGET Arrow::arrow_shared AND TARGET Parquet::parquet_shared)
    set(_aw_where "${ArrowWheel_LIBRARY_DIR}")
  endif()
endif()

set(_aw_hint "No Arrow C++: run scripts/fetch_arrow.sh, or install libarrow-dev and libparquet-dev (15 or newer), or set ARROW_WHEEL_DIR.")
if(ARROW_WHEEL_DIR AND NOT _aw_where)
  set(_aw_hint "ARROW_WHEEL_DIR is ${ARROW_WHEEL_DIR}, which holds no pyarrow/include/arrow with libarrow and libparquet.")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ArrowWheel
  REQUIRED_VARS _aw_where
  VERSION_VAR ArrowWheel_VERSION
  REASON_FAILURE_MESSAGE "${_aw_hint}")
foreach(_aw_variable IN ITEMS oldest dir system package asked_for where cache found include lines line so hint)
  unset(_aw_${_aw_variable})
endforeach()
unset(_aw_variable)
