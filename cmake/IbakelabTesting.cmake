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

# ibk_script_test(NAME SCRIPT [ONCE|LONG] [ARGS...]): a script that passes with exit status 0. ONCE: what it shows does
# not depend on the build, or plays again what other tests play; `./check` leaves it out of the sanitizer build (label
# `once`). LONG: it shows little beyond other tests for the time that it takes; only `./check --all` runs it (`long`).
function(ibk_script_test name script)
  cmake_parse_arguments(T "ONCE;LONG" "" "" ${ARGN})
  add_test(NAME ${name} COMMAND ${script} ${T_UNPARSED_ARGUMENTS} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set(timeout 600)
  if(T_ONCE)
    set_tests_properties(${name} PROPERTIES LABELS once)
  elseif(T_LONG)
    set_tests_properties(${name} PROPERTIES LABELS long)
    set(timeout 3600) # minutes alone on the machine, and it is seldom alone
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout}
    ENVIRONMENT "IBAKELAB_BUILD=${CMAKE_BINARY_DIR};IBAKELAB_SOURCE=${CMAKE_SOURCE_DIR}")
endfunction()
