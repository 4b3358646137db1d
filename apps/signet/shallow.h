#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "apps/signet/command.h"
#include "apps/signet/data.h"
#include "signet/base/progress.h"
#include "signet/baseline/hash_model.h"
#include "signet/dataset/dataset.h"

namespace signet::cli {

// `signet train --method NAME`: a shallow method on features, in place of a network that is trained.
struct ShallowRequest {
  DataArguments data;
  std::string method, features = "pixels", model, out, protocol;
  std::string command;  // as typed, for the model's record
  std::uint64_t draw_seed = 0, side = 0, pca = 0;
  BaselineOptions options;
  std::size_t threads = 0;
  bool pca_given = false, dry_run = false, json = false, quiet = false;
};

// False where --help was asked for and has been printed. Throws kUsage and kInvalidArgument naming the option: unknown methods
// and features, options that the method does not read, numbers that make no sense.
bool parse_shallow(Arguments words, ShallowRequest& request);

// A method that looks at one picture alone: ahash, dhash, phash, block-mean. Nothing is learned, 64 bits.
bool is_picture_hash(const std::string& method);

// Whether these words of `signet train` ask for a shallow method.
bool asks_for_shallow(Arguments words);

// The features that a request names, fitted to the images that it learns from where that is part of them (PCA); those that cannot
// be read are left out.
FeatureExtractor make_extractor(const ShallowRequest& request, const Dataset& train, const ProgressFn& progress);

// Feature vectors of the images that can be read, in their order.
struct FeatureVectors {
  std::shared_ptr<const Dataset> images;  // those, of the data that was asked about
  std::vector<float> values;
  std::size_t unreadable = 0;
  std::string first_unreadable;  // why
};
// Throws kInvalidArgument where not one image can be read, and for more than 8 GiB.
FeatureVectors features_of(const FeatureExtractor& extractor, std::shared_ptr<const Dataset> data, std::size_t threads,
                           const ProgressFn& progress);

// The model of a picture hash, with its record.
Model picture_hash_model(const ShallowRequest& request);

// Learns the method from these vectors and the labels of their images. Throws kInvalidArgument naming an image that has no label
// where the method needs one.
std::unique_ptr<Hasher> fit_shallow(const ShallowRequest& request, const FeatureExtractor& extractor,
                                    std::span<const float> values, const Dataset& train, const ProgressFn& progress);

struct ShallowSeconds {
  double features = 0, method = 0;
};
// The model file's content, with its record.
Model shallow_model(const ShallowRequest& request, const FeatureExtractor& extractor, const Hasher& hasher, const Dataset& train,
                    const ShallowSeconds& seconds);

}  // namespace signet::cli
