# signet-bench-encode: the encoder beside OpenCV's dnn and, where training is built, libtorch.
find_package(OpenCV REQUIRED COMPONENTS core dnn)
find_package(CLI11 REQUIRED)
add_executable(signet-bench-encode bench_encode.cc encode_opencv.cc encode_tar.cc
                                   $<IF:$<BOOL:${SIGNET_LEARN}>,encode_torch.cc,encode_no_torch.cc>)
target_include_directories(signet-bench-encode PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(signet-bench-encode PRIVATE SIGNET_BUILD_TYPE="${CMAKE_BUILD_TYPE}")
target_link_libraries(signet-bench-encode PRIVATE signet_options signet_encode signet_dataset nlohmann_json::nlohmann_json CLI11::CLI11 opencv_core
                                                  opencv_dnn)
if(SIGNET_LEARN)
  find_package(Torch REQUIRED)
  target_link_libraries(signet-bench-encode PRIVATE ${TORCH_LIBRARIES} OpenMP::OpenMP_CXX)
endif()
