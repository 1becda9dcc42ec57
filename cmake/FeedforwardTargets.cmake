# One static library per folder of src/ffn, with the warnings and flags that every target shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# ccache when it is there: the builds of CI (release, planted faults) share most of their objects.
if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(FFN_CCACHE ccache)
  if(FFN_CCACHE)
    # Precompiled headers (of tests) are found by content, not by date.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros ${FFN_CCACHE})
  endif()
endif()

add_library(ffn_options INTERFACE)
# No contraction except an explicit fma: results must not depend on what the compiler fuses.
target_compile_options(ffn_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                             -Wno-sign-conversion -ffp-contract=off)
# GCC 12 sees overlapping copies in std::string's own insert and replace (GCC bug 105651).
target_compile_options(ffn_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(FFN_ASSERTS)
  target_compile_definitions(ffn_options INTERFACE FFN_ASSERTS)
endif()
if(FFN_FAULTS)
  target_compile_definitions(ffn_options INTERFACE FFN_FAULTS)
endif()

# ffn_library(<folder> SOURCES … [DEPENDS folders …]): target ffn_<folder>, alias feedforward::<folder>.
function(ffn_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(ffn_${name} STATIC ${ARG_SOURCES})
  add_library(feedforward::${name} ALIAS ffn_${name})
  set_target_properties(ffn_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(ffn_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
                                                $<INSTALL_INTERFACE:include>)
  target_compile_features(ffn_${name} PUBLIC cxx_std_20)
  target_link_libraries(ffn_${name} PRIVATE $<BUILD_INTERFACE:ffn_options>)
  foreach(folder ${ARG_DEPENDS})
    # By its :: name, which must be a target: a misspelt one fails here instead of as -lffn_… later.
    target_link_libraries(ffn_${name} PUBLIC feedforward::${folder})
  endforeach()
  # Most of a file's time to compile is its headers. Not where files of one shape give the names of
  # their helpers again.
  if(FFN_BATCH_SOURCES AND NOT name MATCHES "^(feedforward|layers|models)$")
    set_target_properties(ffn_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
  set_property(GLOBAL APPEND PROPERTY FFN_LIBRARIES ffn_${name})
endfunction()
