#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sweeps/spec/data_spec.hpp"

namespace ditscale::sweeps {

/// Image pixels along one latent pixel of the VAE.
inline constexpr std::int64_t kLatentDownsampling = 8;

/// What is known of a data set without opening it.
struct DataSetFacts {
  std::string name;
  std::int64_t channels;
  std::int64_t num_classes;
  /// Training images.
  std::int64_t num_images;
  DataSpace space;
  std::vector<std::int64_t> image_sizes;
  /// Where the package that carries it puts it; empty when nobody packages it.
  std::string default_root;
};

[[nodiscard]] const std::vector<DataSetFacts>& data_sets();
/// Throws InternalError for a name that `data_sets` does not have.
[[nodiscard]] const DataSetFacts& data_set(const std::string& name);

}  // namespace ditscale::sweeps
