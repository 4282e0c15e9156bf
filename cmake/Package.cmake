# `make package` (scripts/package.sh): a Debian package of the binary, its services and its documentation.
include(GNUInstallDirs)
install(TARGETS longshore RUNTIME DESTINATION bin)
install(DIRECTORY deploy/systemd/ DESTINATION lib/systemd/system FILES_MATCHING PATTERN "*.service")
install(FILES deploy/debian/longshore.yaml deploy/debian/catalog.yaml DESTINATION /etc/longshore)
install(FILES deploy/debian/default DESTINATION /etc/default RENAME longshore)
install(DIRECTORY docs/ DESTINATION share/doc/longshore FILES_MATCHING PATTERN "*.md")
install(FILES README.md DESTINATION share/doc/longshore)
install(FILES LICENSE DESTINATION share/doc/longshore RENAME copyright)
# The binary writes its own completions.
install(CODE "
  foreach(pair bash:share/bash-completion/completions/longshore zsh:share/zsh/vendor-completions/_longshore fish:share/fish/vendor_completions.d/longshore.fish)
    string(REPLACE \":\" \";\" pair \${pair})
    list(GET pair 0 shell)
    list(GET pair 1 file)
    get_filename_component(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/\${file}\" DIRECTORY)
    file(MAKE_DIRECTORY \"\${folder}\")
    execute_process(COMMAND \"$<TARGET_FILE:longshore>\" completion \${shell}
      OUTPUT_FILE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/\${file}\" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME longshore)
set(CPACK_PACKAGE_CONTACT "The Longshore developers <longshore@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Bulk data exports beside a SaaS product")
set(CPACK_PACKAGE_DESCRIPTION "Longshore reads rows from a database politely, writes them as one CSV, JSON, Parquet, XLSX or PDF file into object
storage, shows progress, hands out signed links, and survives any crash without starting over.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates, tzdata")
# For Chinese, Japanese and Korean in PDF reports.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "fonts-droid-fallback, fonts-nanum")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
file(WRITE ${CMAKE_BINARY_DIR}/conffiles "/etc/longshore/longshore.yaml\n/etc/longshore/catalog.yaml\n/etc/default/longshore\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_BINARY_DIR}/conffiles ${CMAKE_SOURCE_DIR}/deploy/debian/postinst ${CMAKE_SOURCE_DIR}/deploy/debian/prerm
  ${CMAKE_SOURCE_DIR}/deploy/debian/postrm)
include(CPack)
