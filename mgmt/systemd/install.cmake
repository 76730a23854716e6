# Run by `cmake --install`, when the prefix is known: the unit, with the paths of this
# installation in it, and the configuration that it names.
#
# SLUICE_SOURCE and SLUICE_BINARY: this folder, in the source and in the build.

cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_PREFIX NORMALIZE OUTPUT_VARIABLE prefix)
string(REGEX REPLACE "/$" "" prefix "${prefix}")

# What belongs to the system keeps its configuration where the system does.
if(prefix MATCHES "^(/usr(/local)?)?$")
  set(SLUICE_ETC /etc/sluice)
else()
  set(SLUICE_ETC ${prefix}/etc/sluice)
endif()

set(SLUICE_BIN ${prefix}/bin)
set(SLUICE_DOC ${prefix}/share/doc/sluice)
configure_file(${SLUICE_SOURCE}/sluiced.service.in ${SLUICE_BINARY}/sluiced.service @ONLY)
file(INSTALL ${SLUICE_BINARY}/sluiced.service DESTINATION ${prefix}/lib/systemd/system)

# Chains to start from; sluice.conf becomes the site's own once it is there.
file(GLOB examples ${SLUICE_SOURCE}/../../configs/*.conf)
file(INSTALL ${examples} DESTINATION ${SLUICE_ETC}/examples)
if(NOT EXISTS "$ENV{DESTDIR}${SLUICE_ETC}/sluice.conf")
  file(INSTALL ${SLUICE_SOURCE}/../../configs/minimal.conf DESTINATION ${SLUICE_ETC}
    RENAME sluice.conf)
endif()
