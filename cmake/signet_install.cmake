# install(): headers, rooms, the program and a package file, so that find_package(signet) works from the installed copy.
