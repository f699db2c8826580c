#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/ids.hpp"
#include "orchestrator/coordinator/actions.hpp"
#include "orchestrator/coordinator/devices.hpp"

namespace ditscale::orchestrator {

/// Agent to coordinator: who I am and what I own. First message of every agent.
struct HelloMessage {
  std::string host;
  Devices devices;
  std::string node = {};
  std::string gpu_name = {};
};

/// Agent to coordinator: event lines of a trainer, as they came through its pipe, each with its newline.
struct LinesMessage {
  common::TrialId trial;
  common::AttemptNumber attempt{1};
  std::string lines;
};

/// Agent to coordinator: a trainer is gone (see TrainerEnded).
struct EndedMessage {
  common::TrialId trial;
  common::AttemptNumber attempt{1};
  std::optional<int> code;
  std::optional<int> signal;
  std::string how;
  std::optional<double> silent_s;
  /// Of one that said nothing.
  std::string log_tail;
  /// What it said last, as in a LinesMessage.
  std::string lines;
};

/// Coordinator to agent: start a trial's processes in this folder; the first share is yours.
struct StartMessage {
  common::TrialId trial;
  common::AttemptNumber attempt{1};
  std::string folder;
  Shares shares;
};

/// Coordinator to agent: end this attempt's trainer. One that is gone already is fine.
struct StopMessage {
  common::TrialId trial;
  common::AttemptNumber attempt{1};
  bool kill = false;
};

/// Coordinator to agent: the study is over.
struct ShutdownMessage {};

using Message = std::variant<HelloMessage, LinesMessage, EndedMessage, StartMessage, StopMessage, ShutdownMessage>;

/// MessagePack of one message.
[[nodiscard]] std::vector<std::uint8_t> encode(const Message& message);
/// Throws CorruptData when the bytes are not a message of this version.
[[nodiscard]] Message decode(const std::vector<std::uint8_t>& bytes);

}  // namespace ditscale::orchestrator
