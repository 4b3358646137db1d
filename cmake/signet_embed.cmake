# signet_embed(<output.cc> <name> <folder>): writes a source with all files of a folder in it, as the function signet::<name>() of
# "serve/embedded.h". The source is made when configuring and again whenever a file of the folder changes or comes and goes.
function(signet_embed output name folder)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${folder} ${folder}/*)
  list(SORT files)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  set(arrays "")
  set(table "")
  set(number 0)
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/${file})
    file(READ ${folder}/${file} hex HEX)
    string(LENGTH "${hex}" digits)
    math(EXPR size "${digits} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND arrays "const unsigned char kFile${number}[] = {${bytes}0};\n")
    string(APPEND table "    {\"${file}\", {reinterpret_cast<const char*>(kFile${number}), ${size}}},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  set(content "#include \"serve/embedded.h\"\n\nnamespace signet {\nnamespace {\n${arrays}const EmbeddedFile kFiles[] = {\n${table}};\n}  // namespace\nstd::span<const EmbeddedFile> ${name}() noexcept { return kFiles; }\n}  // namespace signet\n")
  set_source_files_properties(${output} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)  # all have the same names inside
  file(CONFIGURE OUTPUT ${output} CONTENT "${content}" @ONLY)  # rewritten only where it changed
endfunction()
