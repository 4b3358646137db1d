# cmake -DOUT=FILE -DSOURCE=FOLDER -DVERSION=0.1.0 -P signet_version.cmake: writes the definition of full_version() (apps/signet/version.h).
# Run at every build; the file is touched only where the commit has changed, so that nothing is compiled for nothing.
find_package(Git QUIET)
set(commit "")
if(GIT_FOUND AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE} describe --always --exclude=* --abbrev=12 --dirty=.changed
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(commit)
  string(PREPEND commit "+")
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT [=[
#include "apps/signet/version.h"

const char* signet::cli::full_version() { return "@VERSION@@commit@"; }
]=] @ONLY)
