# signet-bench-serve: a real `signet serve` on loopback, asked by h2load (nghttp2-client).
add_executable(signet-bench-serve bench_serve.cc serve_load.cc serve_clients.cc)
target_include_directories(signet-bench-serve PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(signet-bench-serve PRIVATE SIGNET_BUILD_TYPE="${CMAKE_BUILD_TYPE}" SIGNET_PROGRAM="$<TARGET_FILE:signet>")
target_link_libraries(signet-bench-serve PRIVATE signet_options signet_store signet_encode signet_image nlohmann_json::nlohmann_json)
add_dependencies(signet-bench-serve signet)
