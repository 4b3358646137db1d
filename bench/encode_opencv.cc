#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

#include "bench/encode_peers.h"

namespace signet::bench {
namespace {

class OpenCvPeer final : public Peer {
 public:
  OpenCvPeer(const Network& network, const std::string& path, std::size_t threads)
      : net_(cv::dnn::readNetFromONNX(path)),
        shape_{0, static_cast<int>(network.channels), static_cast<int>(network.height), static_cast<int>(network.width)},
        threads_(static_cast<int>(threads)) {
    net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
  }
  std::string name() const override { return "opencv dnn"; }
  std::string version() const override { return cv::getVersionString(); }
  void run(const float* images, std::size_t n, float* hash) override {
    cv::setNumThreads(threads_);
    shape_[0] = static_cast<int>(n);
    net_.setInput(cv::Mat(4, shape_, CV_32F, const_cast<float*>(images)));  // only read
    const cv::Mat out = net_.forward("hash");
    std::copy_n(out.ptr<float>(), out.total(), hash);
  }

 private:
  cv::dnn::Net net_;
  int shape_[4];
  int threads_;
};

}  // namespace

std::unique_ptr<Peer> make_opencv_peer(const Network& network, const std::string& onnx_path, std::size_t threads) {
  return std::make_unique<OpenCvPeer>(network, onnx_path, threads);
}

}  // namespace signet::bench
