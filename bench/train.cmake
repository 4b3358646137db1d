# signet-bench-train: the trainer against a bare forward and backward loop of the same network.
if(SIGNET_LEARN)
  add_executable(signet-bench-train ${CMAKE_CURRENT_LIST_DIR}/bench_train.cc ${PROJECT_SOURCE_DIR}/apps/signet-train/process_settings.cc)
  target_include_directories(signet-bench-train PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src)
  target_include_directories(signet-bench-train SYSTEM PRIVATE ${TORCH_INCLUDE_DIRS})
  target_compile_definitions(signet-bench-train PRIVATE SIGNET_BUILD_TYPE="${CMAKE_BUILD_TYPE}")
  target_link_libraries(signet-bench-train PRIVATE signet_options signet_learn ${TORCH_LIBRARIES} OpenMP::OpenMP_CXX nlohmann_json::nlohmann_json)
endif()
