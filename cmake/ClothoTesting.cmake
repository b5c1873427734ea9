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

function(clotho_add_test)
  include(GoogleTest)  # Its functions need variables in the scope of the caller.
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
  # (The folder to which the compiler's paths are relative, if they are.)
  gtest_discover_tests(${arg_NAME} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}")
  if(arg_LABELS)
    # As an argument of gtest_discover_tests, a list of labels does not survive.
    # CTest reads this file after the one that sets ${arg_NAME}_TESTS.
    set(file "${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}_labels.cmake")
    file(WRITE "${file}"
      "if(${arg_NAME}_TESTS)\n"
      "  set_tests_properties(\${${arg_NAME}_TESTS} PROPERTIES LABELS [==[${arg_LABELS}]==])\n"
      "endif()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${file}")
  endif()
endfunction()
