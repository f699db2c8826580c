#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/event.hpp"

namespace ditscale::orchestrator {

/// What an events.jsonl holds.
struct EventFile {
  std::vector<common::Event> events;
  /// Whole lines that are no events: damage, which is reported and skipped.
  std::size_t num_unreadable = 0;
};

/// Reads the events numbered above `after`, from the end, so that a long file of known events costs little; an absent
/// file has none. A last line without its end was cut by a kill and is left out: its writer says the same again or
/// never finished saying it.
[[nodiscard]] EventFile read_event_file(const std::filesystem::path& path, std::int64_t after = 0);

}  // namespace ditscale::orchestrator
