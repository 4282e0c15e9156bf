# A room is one folder of src/ and one library. It can include the headers of the rooms it names in DEPENDS and of no
# other: every room has an include directory of its own that holds nothing but a link to its folder.
#
#   longshore_room(NAME storage SOURCES a.cpp b.cpp DEPENDS base model LIBRARIES CURL::libcurl PRIVATE_DEPENDS ...)
#   longshore_room_test(storage SOURCES tests/a_test.cpp DEPENDS telemetry LIBRARIES ...)

function(longshore_room)
  cmake_parse_arguments(ROOM "" "NAME" "SOURCES;DEPENDS;PRIVATE_DEPENDS;LIBRARIES;PRIVATE_LIBRARIES" ${ARGN})
  set(include_root ${CMAKE_BINARY_DIR}/include/${ROOM_NAME})
  file(MAKE_DIRECTORY ${include_root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${include_root}/${ROOM_NAME} SYMBOLIC)

  set(target longshore_${ROOM_NAME})
  if(ROOM_SOURCES)
    add_library(${target} STATIC ${ROOM_SOURCES})
    set(public PUBLIC)
    set(private PRIVATE)
  else()
    add_library(${target} INTERFACE)
    set(public INTERFACE)
    set(private INTERFACE)
  endif()
  target_include_directories(${target} ${public} ${include_root})
  list(TRANSFORM ROOM_DEPENDS PREPEND longshore_)
  list(TRANSFORM ROOM_PRIVATE_DEPENDS PREPEND longshore_)
  target_link_libraries(${target} ${public} ${ROOM_DEPENDS} ${ROOM_LIBRARIES}
                        ${private} ${ROOM_PRIVATE_DEPENDS} ${ROOM_PRIVATE_LIBRARIES})
endfunction()

function(longshore_room_test room)
  if(NOT LONGSHORE_TESTS)
    return()
  endif()
  cmake_parse_arguments(TEST "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  list(TRANSFORM TEST_DEPENDS PREPEND longshore_)
  add_executable(${room}_test ${TEST_SOURCES})
  target_link_libraries(${room}_test PRIVATE longshore_${room} ${TEST_DEPENDS} ${TEST_LIBRARIES} GTest::gmock_main)
  longshore_use_test_headers(${room}_test)
  include(GoogleTest)
  gtest_discover_tests(${room}_test DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300)
endfunction()

# GoogleTest's headers are compiled once for all tests. The owner is an executable like its users: GCC tells code for
# executables from code for libraries.
function(longshore_use_test_headers target)
  if(NOT TARGET test_headers)
    file(WRITE ${CMAKE_BINARY_DIR}/test_headers.cpp "int main() {}\n")
    add_executable(test_headers ${CMAKE_BINARY_DIR}/test_headers.cpp)
    target_link_libraries(test_headers PRIVATE GTest::gmock)
    target_precompile_headers(test_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  endif()
  target_precompile_headers(${target} REUSE_FROM test_headers)
endfunction()
