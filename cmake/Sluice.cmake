# What every target shares: warnings, sanitizers, and the helpers that make a
# library, a plugin or a test in one line.

include(GNUInstallDirs)

# Where .pc files go, and the way from there back to the prefix: `cmake --install --prefix` may
# choose another one.
set(SLUICE_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH SLUICE_PC_TO_PREFIX /${SLUICE_PC_DIR} /)
string(REGEX REPLACE "/$" "" SLUICE_PC_TO_PREFIX ${SLUICE_PC_TO_PREFIX})

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(DPDK REQUIRED IMPORTED_TARGET libdpdk)
pkg_check_modules(LIBCONFIG REQUIRED IMPORTED_TARGET libconfig)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(BROTLIDEC REQUIRED IMPORTED_TARGET libbrotlidec)
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlienc)
pkg_check_modules(CRYPT REQUIRED IMPORTED_TARGET libcrypt)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
find_library(NUMA_LIBRARY numa REQUIRED)

add_library(sluice_flags INTERFACE)
target_compile_options(sluice_flags INTERFACE
  -Wall -Wextra -Wshadow -Werror -Wstrict-prototypes -Wmissing-prototypes
  -fno-strict-aliasing)
# Nobody puts another function in the place of one of ours: those of one file may be inlined.
target_compile_options(sluice_flags INTERFACE -fno-semantic-interposition)
# What is to be written is prefetched as such; x86 processors without that do nothing then.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
  target_compile_options(sluice_flags INTERFACE -mprfchw)
endif()
# For stacks in perf and in sanitizers' reports; a release has better use for the register.
if(NOT SLUICE_LTO)
  target_compile_options(sluice_flags INTERFACE -fno-omit-frame-pointer)
endif()
target_compile_definitions(sluice_flags INTERFACE _GNU_SOURCE)
if(SLUICE_SANITIZE)
  target_compile_options(sluice_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined)
  target_link_options(sluice_flags INTERFACE -fsanitize=address,undefined)
endif()
if(SLUICE_FUZZ)
  target_compile_options(sluice_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
  target_link_options(sluice_flags INTERFACE -fsanitize=address,undefined)
endif()

# DPDK's headers are system headers: its warnings are not ours.
add_library(sluice_dpdk INTERFACE)
target_link_libraries(sluice_dpdk INTERFACE PkgConfig::DPDK)
target_include_directories(sluice_dpdk SYSTEM INTERFACE ${DPDK_INCLUDE_DIRS})

# sluice_library(NAME SOURCES a.c b.c [PUBLIC lib ...] [PRIVATE lib ...])
# A static library. Its headers are included by their path from the top of the
# tree ("l4stack/tcp/tcp.h"); the layering lint holds the direction of the arrows.
function(sluice_library name)
  cmake_parse_arguments(A "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${A_PUBLIC} PRIVATE ${A_PRIVATE} sluice_flags)
endfunction()

# sluice_plugin(NAME SOURCES a.c [PRIVATE lib ...]): build/lib/sluice/NAME.so (installed in
# lib/sluice), a network function that sees include/ and nothing else of this tree but what it links.
function(sluice_plugin name)
  cmake_parse_arguments(A "" "" "SOURCES;PRIVATE" ${ARGN})
  add_library(nf_${name} MODULE ${A_SOURCES})
  target_link_libraries(nf_${name} PRIVATE sluice_sdk sluice_flags ${A_PRIVATE})
  # Every call of the SDK's goes out of the plugin: straight there, it is bound when loaded.
  target_compile_options(nf_${name} PRIVATE -fno-plt)
  set_target_properties(nf_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    C_VISIBILITY_PRESET hidden LIBRARY_OUTPUT_DIRECTORY ${SLUICE_PLUGIN_DIR})
  # Where sluiced looks by itself: ../lib/sluice beside it.
  install(TARGETS nf_${name} DESTINATION lib/sluice)
endfunction()

# sluice_test(NAME SOURCES a.c [LIBS lib ...] [LABELS unit]): a cmocka program
# that ctest runs.
function(sluice_test name)
  cmake_parse_arguments(A "" "" "SOURCES;LIBS;LABELS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${A_LIBS} PkgConfig::CMOCKA sluice_flags)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT A_LABELS)
    set(A_LABELS unit)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${A_LABELS}" TIMEOUT 120)
endfunction()
