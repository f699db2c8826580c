#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/json_document.hpp"

namespace ditscale::common {

/// Version of the event lines; stored, never renumber.
inline constexpr int kEventVersion = 1;

/// What a trainer tells the world. Stored by name in events.jsonl. The kinds and their bodies:
///
/// - started: step, images, resumed_from (file or null), device, device_name, threads, precision, host, pid, parameters
/// - metric: step, images, loss, loss_simple, loss_vlb, grad_norm, lr, images_per_s, time_s (training seconds so far)
/// - checkpoint: step, images, file (relative to the trial folder), bytes, digest, seconds
/// - samples: step, file (relative to the trial folder)
/// - evaluation: step, images, settings (object: everything that makes the score comparable), settings_id, values
///   (metric → number or null), reason (when a value is null), num_samples, seconds, sampling_macs
/// - outcome: state (succeeded | preempted | failed | diverged | lost: the disk took no more), reason, step, images
struct Event {
  /// 1, 2, 3 … within one attempt.
  std::int64_t number = 0;
  /// Unix seconds.
  double time_s = 0;
  std::string kind;
  Json body = Json::object();

  /// One line of JSON without the newline: {"v":1,"n":…,"t":…,"kind":…,"body":{…}}.
  [[nodiscard]] std::string to_line() const;
  /// Throws CorruptData when the line is not an event of a version we know.
  [[nodiscard]] static Event from_line(std::string_view line);
};

}  // namespace ditscale::common
