# Oniguruma::Oniguruma, the regular expressions of tokenizers. Its package brings no CMake files.
find_path(Oniguruma_INCLUDE_DIR oniguruma.h)
find_library(Oniguruma_LIBRARY onig)
mark_as_advanced(Oniguruma_INCLUDE_DIR Oniguruma_LIBRARY)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Oniguruma REQUIRED_VARS Oniguruma_LIBRARY Oniguruma_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install libonig-dev (tools/install_deps demo)")
# The library exports POSIX names too (regcomp, regexec, …) and would answer for every user of <regex.h>
# in the process, with flags and structures of its own: libc has to be searched first (as an option of
# the linker, since CMake drops a plain -lc, which the compiler adds last).
if(Oniguruma_FOUND AND NOT TARGET Oniguruma::Oniguruma)
  add_library(Oniguruma::Oniguruma INTERFACE IMPORTED)
  set_target_properties(Oniguruma::Oniguruma PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES ${Oniguruma_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES "-Wl,-lc;${Oniguruma_LIBRARY}")
endif()
