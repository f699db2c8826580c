#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "worker/data/store.hpp"
#include "worker/data/store_header.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

inline std::span<const std::byte> row_of(const torch::Tensor& rows, std::int64_t i) {
  const std::size_t row_bytes = rows.nbytes() / static_cast<std::size_t>(rows.size(0));
  return {static_cast<const std::byte*>(rows.const_data_ptr()) + static_cast<std::size_t>(i) * row_bytes, row_bytes};
}

/// Writes a finished store of `rows` (and embeddings); image i has label i mod num_classes.
inline std::string write_store(const std::filesystem::path& path, StoreFacts facts, const torch::Tensor& rows,
                               const torch::Tensor& embeddings = {}) {
  facts.num_images = rows.size(0);
  facts.type = rows.scalar_type();
  if (embeddings.defined()) {
    facts.context_tokens = embeddings.size(1);
    facts.context_width = embeddings.size(2);
    facts.context_type = embeddings.scalar_type();
  }
  std::vector<std::string> names;
  for (std::int64_t c = 0; c < facts.num_classes; ++c) names.push_back("class " + std::to_string(c));
  const auto labels = facts.num_classes > 0 ? torch::arange(facts.num_images).remainder(facts.num_classes)
                                            : torch::zeros({facts.num_images}, torch::kLong);
  create_store(path, facts, names, labels);
  const RowFile out(path, facts.row_name(), RowFile::Access::kReadWrite);
  const RowFile hashes(path, kRowHashesName, RowFile::Access::kReadWrite);
  for (std::int64_t i = 0; i < facts.num_images; ++i) {
    const auto embedding = embeddings.defined() ? row_of(embeddings, i) : std::span<const std::byte>();
    out.write(i, row_of(rows, i));
    if (embeddings.defined()) RowFile(path, kEmbeddingsName, RowFile::Access::kReadWrite).write(i, embedding);
    const std::int64_t hash = hash_of_row(row_of(rows, i), embedding);
    hashes.write(i, std::as_bytes(std::span(&hash, 1)));
  }
  return finish_store(path);
}

inline StoreFacts pixel_facts(std::int64_t size, std::int64_t channels, std::int64_t num_classes) {
  StoreFacts facts;
  facts.image_size = facts.side = size;
  facts.channels = channels;
  facts.num_classes = num_classes;
  facts.source = "made up";
  return facts;
}

inline StoreFacts latent_facts(std::int64_t side, std::int64_t channels, std::int64_t flips) {
  StoreFacts facts;
  facts.latents = true;
  facts.image_size = 8 * side;
  facts.side = side;
  facts.channels = channels;
  facts.num_classes = 3;
  facts.flips = flips;
  facts.vae_digest = "made up";
  facts.scaling_factor = 0.18215;
  return facts;
}

}  // namespace ditscale::worker
