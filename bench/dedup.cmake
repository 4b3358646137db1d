# signet-bench-dedup: planted copies found by instance codes and by perceptual hashes. It trains where training is built.
add_executable(signet-bench-dedup ${CMAKE_CURRENT_LIST_DIR}/bench_dedup.cc ${CMAKE_CURRENT_LIST_DIR}/dedup_data.cc
                                  ${CMAKE_CURRENT_LIST_DIR}/dedup_methods.cc)
target_include_directories(signet-bench-dedup PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(signet-bench-dedup PRIVATE signet_options signet_dedup signet_dataset nlohmann_json::nlohmann_json)
if(SIGNET_LEARN)
  target_sources(signet-bench-dedup PRIVATE ${PROJECT_SOURCE_DIR}/apps/signet-train/process_settings.cc)
  target_compile_definitions(signet-bench-dedup PRIVATE SIGNET_WITH_LEARN)
  target_link_libraries(signet-bench-dedup PRIVATE signet_learn)
endif()
