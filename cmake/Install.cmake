# `cmake --install`: static libraries, public headers and the package files for find_package(feedforward).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/feedforward)
get_property(libraries GLOBAL PROPERTY FFN_LIBRARIES)

install(TARGETS ${libraries} EXPORT feedforwardTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT feedforwardTargets NAMESPACE feedforward:: DESTINATION ${package_dir})

# The folders below kernels/ are backends: reached through kernels/table.h, not part of the interface.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/ffn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h"
        PATTERN "io/tokenizer/json_*.h" EXCLUDE
        REGEX "/kernels/(reference|cpu|cuda)$" EXCLUDE)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/feedforwardConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/feedforwardConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
# Before 1.0 every minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/feedforwardConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/feedforwardConfig.cmake
              ${PROJECT_BINARY_DIR}/feedforwardConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/FindOniguruma.cmake ${CMAKE_CURRENT_LIST_DIR}/Findutf8proc.cmake
              ${CMAKE_CURRENT_LIST_DIR}/Findminizip.cmake
        DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/NOTICE
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/feedforward)
