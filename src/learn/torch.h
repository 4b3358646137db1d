#pragma once

// The one place where libtorch's headers are named (they are precompiled: src/learn/CMakeLists.txt). Only ATen and the autograd
// engine are used: the network is a list of tensors and a forward function, so that its state is plain data for checkpoints and
// export.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <ATen/ATen.h>
#include <ATen/Config.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/version.h>
#pragma GCC diagnostic pop

// libtorch's headers run at::parallel_for in one thread, without a word, where the compiler was not told of OpenMP.
#if AT_PARALLEL_OPENMP && !defined(_OPENMP)
#error "files of learn are compiled with OpenMP, as libtorch was (src/learn/CMakeLists.txt)"
#endif
