# clotho_add_test: a test program for CTest.
#
#   clotho_add_test(NAME name SOURCES file...
#                   [LINK library...]       # Beside clotho::testing.
#                   [LABELS label...]       # For `ctest -L`.
#                   [PROPERTIES])           # Also clotho::properties.
#
# makes the program `name`, with the main function of Clotho, and a test of CTest
# for each test in it, named Suite.Name. Call enable_testing() before.
#
# Saved schedules are found in testdata/clotho beside the source of the test,
# wherever the program runs.

include(GoogleTest)

function(clotho_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "PROPERTIES" "NAME" "SOURCES;LINK;LABELS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_SOURCES)
    message(FATAL_ERROR "clotho_add_test: expected NAME name SOURCES file... "
      "[LINK library...] [LABELS label...] [PROPERTIES], but got: ${ARGN}")
  endif()
  add_executable(${arg_NAME} ${arg_SOURCES})
  target_link_libraries(${arg_NAME} PRIVATE
    ${arg_LINK} clotho::testing clotho::testing_main)
  if(arg_PROPERTIES)
    target_link_libraries(${arg_NAME} PRIVATE clotho::properties)
  endif()
  set(properties)
  if(arg_LABELS)
    # A list inside of a list.
    string(REPLACE ";" "\\;" labels "${arg_LABELS}")
    set(properties PROPERTIES LABELS "${labels}")
  endif()
  # (The folder to which the compiler's paths are relative, if they are.)
  gtest_discover_tests(${arg_NAME} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}"
    ${properties})
endfunction()
