#include "worker/evaluation/scores/reference.hpp"

#include <utility>

#include "common/error.hpp"
#include "common/hash.hpp"

namespace ditscale::worker {

using common::ConfigError;
using common::CorruptData;

namespace {

/// Relative to the largest element: what float32 files of other programs are off by.
constexpr double kAsymmetry = 1e-6;

void check_statistics(const GaussianStats& stats, const std::string& label) {
  const std::int64_t width = stats.mean.dim() == 1 ? stats.mean.size(0) : 0;
  if (width == 0 || !stats.covariance.sizes().equals({width, width}))
    throw CorruptData(fmt::format("{}: a mean of ({}) and a covariance of ({}) do not fit", label,
                                  fmt::join(stats.mean.sizes(), ", "), fmt::join(stats.covariance.sizes(), ", ")));
  if (!stats.mean.isfinite().all().item<bool>() || !stats.covariance.isfinite().all().item<bool>())
    throw CorruptData(fmt::format("{}: the mean or the covariance holds a NaN or an infinity", label));
  const double asymmetry = (stats.covariance - stats.covariance.t()).abs().max().item<double>();
  if (asymmetry > kAsymmetry * stats.covariance.abs().max().item<double>())
    throw CorruptData(fmt::format("{}: the covariance is not symmetric: elements differ by {:.3g}", label, asymmetry));
}

void check_features(const torch::Tensor& features, std::int64_t width, const std::string& label) {
  if (features.dim() != 2 || features.size(1) != width || features.scalar_type() != torch::kFloat)
    throw CorruptData(fmt::format("{}: features of ({}) beside statistics of width {}", label,
                                  fmt::join(features.sizes(), ", "), width));
  if (!features.isfinite().all().item<bool>())
    throw CorruptData(fmt::format("{}: the features hold a NaN or an infinity", label));
}

std::string tensor_digest(const torch::Tensor& tensor) {
  const torch::Tensor data = tensor.contiguous();
  return common::hash_hex128({static_cast<const char*>(data.const_data_ptr()), data.nbytes()});
}

std::string content_digest_of(const ReferenceContent& content) {
  std::string all = fmt::format("network {} {} images {} data {} pooled {} {}", content.network, content.network_digest,
                                content.num_images.value_or(0), content.data_digest, tensor_digest(content.pooled.mean),
                                tensor_digest(content.pooled.covariance));
  if (content.spatial)
    all +=
        fmt::format(" spatial {} {}", tensor_digest(content.spatial->mean), tensor_digest(content.spatial->covariance));
  if (content.features.defined()) all += " features " + tensor_digest(content.features);
  return common::hash_hex128(all);
}

}  // namespace

Reference::Reference(ReferenceContent content, const std::string& label) : content_(std::move(content)) {
  check_statistics(content_.pooled, label);
  if (content_.spatial) check_statistics(*content_.spatial, label + ", spatial");
  if (content_.features.defined()) check_features(content_.features, width(), label);
  digest_ = content_.file_digest.empty() ? content_digest_of(content_) : content_.file_digest;
}

const FrechetReference& Reference::pooled() const {
  if (!pooled_) pooled_ = std::make_unique<FrechetReference>(content_.pooled);
  return *pooled_;
}

const FrechetReference& Reference::spatial() const {
  DITSCALE_CHECK(content_.spatial.has_value(), "reference {} has no spatial statistics", content_.name);
  if (!spatial_) spatial_ = std::make_unique<FrechetReference>(*content_.spatial);
  return *spatial_;
}

void Reference::check_made_by(const std::string& network, const std::string& network_digest) const {
  const bool same_name = network == content_.network;
  const bool same_weights =
      network_digest.empty() || content_.network_digest.empty() || network_digest == content_.network_digest;
  if (same_name && same_weights) return;
  throw ConfigError(fmt::format("reference {}: was made with the features of {} {}, the samples' are of {} {}",
                                content_.name, content_.network, content_.network_digest, network, network_digest));
}

}  // namespace ditscale::worker
