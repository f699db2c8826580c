#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "worker/evaluation/frechet.hpp"
#include "worker/evaluation/gaussian_stats.hpp"

namespace ditscale::worker {

/// What samples are compared with: the features of a set of real images.
struct ReferenceContent {
  /// "fashion_mnist train".
  std::string name;
  /// The feature network, and the digest of its weights; the latter is empty where a file does not say (ADM's).
  std::string network;
  std::string network_digest;
  /// Images behind the statistics; empty where a file does not say.
  std::optional<std::int64_t> num_images;
  /// Of the images; empty where a file does not say.
  std::string data_digest;
  GaussianStats pooled;
  std::optional<GaussianStats> spatial;
  /// Pooled features of up to 10,000 of the images, for precision, recall and KID; else undefined.
  torch::Tensor features;  // (M, D) float32
  /// Of the file, where `features` are not read from it but computed of its images: each machine rounds them in its own
  /// way. Else empty.
  std::string file_digest;
};

/// A reference whose numbers have been looked at, and what scores need of it more than once. One thread at a time.
class Reference {
 public:
  /// Images whose features are kept, at most.
  static constexpr std::int64_t kKeptFeatures = 10'000;
  /// Of features that are read from files. Scores need several squares of it: at this one, a few gigabytes each.
  static constexpr std::int64_t kMostWidth = 1 << 14;

  /// Throws CorruptData that starts with `label` when widths do not fit, or numbers are not finite, or covariances not
  /// symmetric.
  Reference(ReferenceContent content, const std::string& label);

  [[nodiscard]] const ReferenceContent& content() const { return content_; }
  [[nodiscard]] std::int64_t width() const { return content_.pooled.mean.size(0); }
  /// Of everything that scores see: networks, counts and all numbers; or of the file.
  [[nodiscard]] const std::string& digest() const { return digest_; }

  /// Made on first use, then kept.
  [[nodiscard]] const FrechetReference& pooled() const;
  /// Requires spatial statistics.
  [[nodiscard]] const FrechetReference& spatial() const;

  /// Throws ConfigError unless it was made by that network. An empty digest here or there fits any.
  void check_made_by(const std::string& network, const std::string& network_digest) const;

 private:
  ReferenceContent content_;
  std::string digest_;
  mutable std::unique_ptr<FrechetReference> pooled_;
  mutable std::unique_ptr<FrechetReference> spatial_;
};

}  // namespace ditscale::worker
