# One function for every room: a static library signet_<room> from src/<room>/*.cc and, where there are tests, the program
# signet_<room>_test from src/<room>/*_test.cc. Sources are found by looking, so adding a file needs no edit here.

add_library(signet_options INTERFACE)
target_compile_features(signet_options INTERFACE cxx_std_20)
target_compile_options(signet_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
                                                -Wold-style-cast -Woverloaded-virtual -fno-math-errno)
if(SIGNET_WERROR)
  target_compile_options(signet_options INTERFACE -Werror)
endif()
if(SIGNET_SANITIZE)
  add_compile_options(-fsanitize=${SIGNET_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SIGNET_SANITIZE})
endif()
if(SIGNET_FUZZ)  # the rooms report their branches to the fuzzer; its main() is linked into the targets alone
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# signet_room(<room> [ROOMS <room>...] [LIBRARIES <target>...] [PRIVATE_LIBRARIES <target>...] [TEST_LIBRARIES <target>...])
#   ROOMS: rooms that it includes. LIBRARIES: needed by its public headers. PRIVATE_LIBRARIES: kept inside the room.
function(signet_room room)
  cmake_parse_arguments(ARG "" "" "ROOMS;LIBRARIES;PRIVATE_LIBRARIES;TEST_LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  if(NOT sources)  # a room with headers only, or with no sources yet
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/empty.cc "")
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/empty.cc)
  endif()
  add_library(signet_${room} STATIC ${sources})
  add_library(signet::${room} ALIAS signet_${room})
  set_target_properties(signet_${room} PROPERTIES EXPORT_NAME ${room})
  target_include_directories(signet_${room} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
                                            PRIVATE ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ARG_ROOMS PREPEND signet_)
  # Libraries of headers alone are compiled in: who links the installed archive does not need them.
  set(private ${ARG_PRIVATE_LIBRARIES})
  list(TRANSFORM private REPLACE "^(nlohmann_json::.*|Eigen3::.*)$" "$<BUILD_INTERFACE:\\1>")
  target_link_libraries(signet_${room} PUBLIC ${ARG_ROOMS} ${ARG_LIBRARIES} PRIVATE $<BUILD_INTERFACE:signet_options> ${private})
  target_compile_features(signet_${room} PUBLIC cxx_std_20)
  set_property(GLOBAL APPEND PROPERTY SIGNET_ROOMS signet_${room})
  if(BUILD_TESTING AND tests)
    signet_test(signet_${room}_test SOURCES ${tests} LIBRARIES signet_${room} ${ARG_PRIVATE_LIBRARIES} ${ARG_TEST_LIBRARIES})
  endif()
endfunction()

# signet_test(<name> SOURCES <file>... LIBRARIES <target>...): a GoogleTest program, each of its tests known to ctest by name.
function(signet_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE signet_options ${ARG_LIBRARIES} GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 300)
endfunction()
