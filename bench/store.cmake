# signet-bench-store: adding, opening and searching a collection on disk.
add_executable(signet-bench-store bench_store.cc)
target_include_directories(signet-bench-store PRIVATE ${PROJECT_SOURCE_DIR})
target_compile_definitions(signet-bench-store PRIVATE SIGNET_BUILD_TYPE="${CMAKE_BUILD_TYPE}")
target_link_libraries(signet-bench-store PRIVATE signet_options signet_store nlohmann_json::nlohmann_json)
