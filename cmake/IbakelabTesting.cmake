# ibk_test(NAME SOURCES... [LIBS libs...]): a cmocka program `NAME`, registered with ctest under the same name.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

function(ibk_test name)
  cmake_parse_arguments(T "" "TIMEOUT" "LIBS;LABELS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
  endif()
  add_executable(${name} ${T_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${T_LIBS} PkgConfig::CMOCKA)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "unit;${T_LABELS}")
endfunction()

# ibk_script_test(NAME SCRIPT [ARGS...]): a script that passes with exit status 0.
function(ibk_script_test name script)
  add_test(NAME ${name} COMMAND ${script} ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600
    ENVIRONMENT "IBAKELAB_BUILD=${CMAKE_BINARY_DIR};IBAKELAB_SOURCE=${CMAKE_SOURCE_DIR}")
endfunction()
