# install(): headers, rooms, the programs and a package file, so that find_package(signet) works from the installed copy. Left out is
# learn/: it would bind every user of the package to one libtorch; training is the program signet-train.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(SIGNET_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/signet)
get_property(rooms GLOBAL PROPERTY SIGNET_ROOMS)
list(REMOVE_ITEM rooms signet_learn)
install(TARGETS ${rooms} EXPORT signetTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/signet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "learn" EXCLUDE)
install(EXPORT signetTargets NAMESPACE signet:: DESTINATION ${SIGNET_PACKAGE_DIR})
foreach(program IN ITEMS signet signet-train)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

# Man pages are the program's own --help, asked when it is installed.
find_program(SIGNET_BASH bash)
if(TARGET signet AND SIGNET_BASH AND NOT CMAKE_CROSSCOMPILING)
  install(CODE "execute_process(COMMAND \"${SIGNET_BASH}\" \"${PROJECT_SOURCE_DIR}/tools/man.sh\" \"$<TARGET_FILE:signet>\" \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_MANDIR}/man1\"
                                COMMAND_ERROR_IS_FATAL ANY)")
endif()

# Which packages a room's archive must be linked with, its own rooms' included: asked of the targets, so that it cannot go stale.
function(signet_packages_of target result)
  set(packages "")
  get_target_property(libraries ${target} INTERFACE_LINK_LIBRARIES)
  foreach(library IN LISTS libraries)
    if(library MATCHES "^signet_")
      signet_packages_of(${library} below)
      list(APPEND packages ${below})
    elseif(library MATCHES "OpenSSL::|SQLite::|ZLIB::|Threads::|opencv_")
      string(REGEX REPLACE "^.*(OpenSSL|SQLite|ZLIB|Threads|opencv)(::|_).*$" "\\1" package ${library})
      list(APPEND packages ${package})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES packages)
  set(${result} "${packages}" PARENT_SCOPE)
endfunction()

set(SIGNET_COMPONENTS "")
set(SIGNET_COMPONENT_PACKAGES "")
foreach(room IN LISTS rooms)
  string(REGEX REPLACE "^signet_" "" name ${room})
  signet_packages_of(${room} packages)
  string(APPEND SIGNET_COMPONENTS " ${name}")
  string(APPEND SIGNET_COMPONENT_PACKAGES "set(_signet_packages_${name} ${packages})\n")
endforeach()
configure_package_config_file(cmake/signetConfig.cmake.in ${PROJECT_BINARY_DIR}/signetConfig.cmake INSTALL_DESTINATION ${SIGNET_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/signetConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/signetConfig.cmake ${PROJECT_BINARY_DIR}/signetConfigVersion.cmake DESTINATION ${SIGNET_PACKAGE_DIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
