#pragma once

#include <filesystem>

#include "common/file_descriptor.hpp"

namespace ditscale::orchestrator {

/// A named pipe in a private folder of this host: a gang's first process, which mpirun starts without our descriptors,
/// opens it by name.
class EventPipe {
 public:
  /// Throws SystemError.
  EventPipe();
  ~EventPipe();
  EventPipe(EventPipe&& other) noexcept;
  EventPipe& operator=(EventPipe&&) = delete;

  /// Takes the name away, once the gang has opened it: an agent that is killed then leaves nothing.
  void remove_name() noexcept;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Non-blocking. Never at its end, since it is open for writing here too.
  [[nodiscard]] int read_end() const { return read_end_.get(); }

 private:
  std::filesystem::path path_;
  common::FileDescriptor read_end_;
};

}  // namespace ditscale::orchestrator
