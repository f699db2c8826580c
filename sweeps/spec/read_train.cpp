#include <fmt/format.h>

#include "sweeps/spec/part_readers.hpp"

namespace ditscale::sweeps {

using common::ObjectReader;
using common::Range;

void read_train(ObjectReader& reader, TrainSpec& train) {
  reader.get("global_batch", train.global_batch, Range{1, 1 << 24});
  reader.get("steps", train.steps, kPositive);
  reader.get("lr", train.lr, Range{0, 10, true});
  reader.get("warmup_steps", train.warmup_steps, kCount);
  reader.get("weight_decay", train.weight_decay, Range{0, 10});
  reader.get("beta1", train.beta1, Range{0, 0.99999999});
  reader.get("beta2", train.beta2, Range{0, 0.99999999});
  reader.get("clip_norm", train.clip_norm, Range{0, 1e9, true});
  reader.get("ema_decay", train.ema_decay, Range{0, 1});
  reader.get("ema_warmup", train.ema_warmup);
  reader.get("post_hoc_ema_every_steps", train.post_hoc_ema_every_steps, kPositive);
  reader.get_choice("precision", train.precision, {"auto", "fp32", "bf16"});
  reader.get("micro_batch", train.micro_batch, kPositive);
  reader.get("log_every_steps", train.log_every_steps, kPositive);
  const double images = static_cast<double>(train.steps) * static_cast<double>(train.global_batch);
  if (images > kLargestWhole) {
    reader.fail("steps", fmt::format("{} steps of {} images are more images than can be counted; allowed: 9e15 in all",
                                     train.steps, train.global_batch));
  }
  if (train.micro_batch && train.global_batch % *train.micro_batch != 0) {
    reader.fail("micro_batch",
                fmt::format("{} does not divide global_batch {}", *train.micro_batch, train.global_batch));
  }
  if (train.micro_batch == train.global_batch) train.micro_batch.reset();
}

}  // namespace ditscale::sweeps
