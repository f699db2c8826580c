#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/types.h>

#include "worker/data/store.hpp"

namespace ditscale::worker {

// Names inside the file: stored, never rename.
inline constexpr char kHeaderName[] = "header";
inline constexpr char kClassNamesName[] = "class_names";
inline constexpr char kLabelsName[] = "labels";
inline constexpr char kRowHashesName[] = "row_hashes";
inline constexpr char kEmbeddingsName[] = "embeddings";
/// uint8 (1, 32): the digest's hexadecimal digits, zero bytes until the store is finished.
inline constexpr char kDigestName[] = "digest";
inline constexpr std::int64_t kDigestBytes = 32;

/// The header's text, and back. Throws CorruptData naming `file` for anything that does not fit.
[[nodiscard]] std::string header_text(const StoreFacts& facts);
[[nodiscard]] StoreFacts read_header_text(const std::string& text, const std::string& file);

[[nodiscard]] std::string class_names_text(const std::vector<std::string>& names);
[[nodiscard]] std::vector<std::string> read_class_names_text(const std::string& text, const std::string& file);

/// XXH3 (128 bits) of the facts, the class names, the labels and the row hashes.
[[nodiscard]] std::string store_digest(const StoreFacts& facts, const std::string& class_names_text,
                                       const torch::Tensor& labels, const torch::Tensor& row_hashes);

}  // namespace ditscale::worker
