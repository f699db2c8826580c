#include "worker/evaluation/shown_embeddings.hpp"

#include "worker/training/batch_source.hpp"

namespace ditscale::worker {

torch::Tensor shown_embeddings(const sweeps::TrialSpec& trial, const ImageSet& images, std::int64_t sample_seed,
                               std::int64_t first, std::int64_t count) {
  if (trial.model.conditioning != sweeps::Conditioning::kEmbeddings) return {};
  sweeps::TrialSpec shown = trial;
  shown.seed = sample_seed;
  return BatchSource(images, shown).batch(first, count).context;
}

}  // namespace ditscale::worker
