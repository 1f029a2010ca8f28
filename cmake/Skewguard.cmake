# One function for each kind of target: a folder's CMakeLists.txt only lists its parts.

add_library(skewguard_flags INTERFACE)
target_compile_options(skewguard_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wnull-dereference -Wimplicit-fallthrough
  $<$<BOOL:${SKEWGUARD_WERROR}>:-Werror>)
# Initializers may omit fields: those have defaults in their declarations.
target_compile_options(skewguard_flags INTERFACE -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-designated-field-initializers>)
# g++ 12 at -O2 and -O3 reports false positives inside libstdc++ and Boost.
target_compile_options(skewguard_flags INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-null-dereference -Wno-maybe-uninitialized
    -Wno-stringop-overflow -Wno-array-bounds -Wno-tsan>)
# A unity build includes its sources, and g++ takes them for headers.
target_compile_options(skewguard_flags INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
# What hostile input must not turn into: tests/integration/test_hardening.py looks for it in the
# program. For every target, the libraries that are installed too.
set(optimised $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
add_compile_options(
  "$<${optimised}:-fstack-protector-strong;-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|i.86")
  add_compile_options($<${optimised}:-fcf-protection>)
endif()
add_link_options("$<${optimised}:-Wl,-z,relro;-Wl,-z,now;-Wl,-z,noexecstack>")
if(SKEWGUARD_SANITIZE)
  target_compile_options(skewguard_flags INTERFACE
    -fsanitize=${SKEWGUARD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(skewguard_flags INTERFACE -fsanitize=${SKEWGUARD_SANITIZE})
endif()
if(SKEWGUARD_FUZZ)
  target_compile_options(skewguard_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(skewguard_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SKEWGUARD_COVERAGE)
  target_compile_options(skewguard_flags INTERFACE --coverage)
  target_link_options(skewguard_flags INTERFACE --coverage)
endif()

# The sanitizer builds compile their commonest headers once. Modules and programs are compiled
# differently (PIC, PIE): one for each. A missing include is an error in the fuzz preset alone
# (docs/adr/0006-unity-builds.md).
if(SKEWGUARD_PRECOMPILED)
  # Lets ccache know them again.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
  add_library(precompiled_modules OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
  target_link_libraries(precompiled_modules PRIVATE skewguard_flags)
  target_precompile_headers(precompiled_modules PRIVATE
    ${PROJECT_SOURCE_DIR}/cmake/precompiled_modules.hpp)
  if(SKEWGUARD_TESTS)
    find_package(GTest 1.12 REQUIRED)
    add_executable(precompiled_tests ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
    target_link_libraries(precompiled_tests PRIVATE skewguard_flags GTest::gtest GTest::gmock)
    target_precompile_headers(precompiled_tests PRIVATE
      ${PROJECT_SOURCE_DIR}/cmake/precompiled_tests.hpp)
  endif()
endif()

# skewguard_module(NAME SOURCES a.cpp ... DEPENDS other ... LIBRARIES foreign ...)
# A folder under src/ as a static library `skewguard_NAME`; DEPENDS are other folders.
function(skewguard_module name)
  cmake_parse_arguments(M "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  add_library(skewguard_${name} STATIC ${M_SOURCES})
  target_include_directories(skewguard_${name} PUBLIC
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(skewguard_${name} PRIVATE skewguard_flags)
  if(name IN_LIST SKEWGUARD_SEPARATE)
    set_target_properties(skewguard_${name} PROPERTIES UNITY_BUILD OFF)
  endif()
  list(TRANSFORM M_DEPENDS PREPEND skewguard_)
  target_link_libraries(skewguard_${name} PUBLIC ${M_DEPENDS} ${M_LIBRARIES})
  if(SKEWGUARD_PRECOMPILED)
    target_precompile_headers(skewguard_${name} REUSE_FROM precompiled_modules)
  endif()
endfunction()

# Seconds after which a test hangs. No test may fail because the machine is busy.
set(SKEWGUARD_HUNG_S 1800)

# skewguard_test(NAME SOURCES a_test.cpp ... DEPENDS folder ... LIBRARIES foreign ... LABELS l ...)
# A GoogleTest program `NAME`; each of its tests is a ctest test.
function(skewguard_test name)
  cmake_parse_arguments(T "" "" "SOURCES;DEPENDS;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  if(SKEWGUARD_PRECOMPILED)
    target_precompile_headers(${name} REUSE_FROM precompiled_tests)
  endif()
  list(TRANSFORM T_DEPENDS PREPEND skewguard_)
  target_link_libraries(${name} PRIVATE skewguard_flags ${T_DEPENDS} ${T_LIBRARIES} GTest::gtest
    GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
    PROPERTIES TIMEOUT ${SKEWGUARD_HUNG_S} LABELS "${T_LABELS}")
endfunction()
include(GoogleTest)
