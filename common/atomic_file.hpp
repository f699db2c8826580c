#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace ditscale::common {

/// Writes `bytes` to a temporary name in the same folder, fsyncs it, renames it to `path` and fsyncs the folder, so
/// that a reader sees the old file or the new one, whole, whatever is killed when. Throws SystemError (disk full,
/// permission); the temporary file is removed then. A device or a pipe of that name is written to, and stays.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// The same without the waits for the disk: whole for every reader, also when this process is killed, but a power
/// failure within the next half a minute may leave an empty file. For what can be written again.
void replace_file(const std::filesystem::path& path, std::string_view bytes);

/// The rest of the same protocol for a file written by a library: fsyncs `temporary`, renames it to `path`, fsyncs the
/// folder. Throws SystemError where `path` is a device or a pipe.
void publish_file(const std::filesystem::path& temporary, const std::filesystem::path& path);

/// Name of a temporary neighbour of `path`, unique to this process: ".<name>.tmp-<pid>".
[[nodiscard]] std::filesystem::path temporary_name(const std::filesystem::path& path);

/// Whole file as bytes. Throws SystemError, or CorruptData when it is larger than `max_bytes`.
[[nodiscard]] std::string read_file(const std::filesystem::path& path, std::size_t max_bytes = std::size_t{1} << 30);

/// `create_directories` whose error names the folder and the reason.
void make_folder(const std::filesystem::path& path);

}  // namespace ditscale::common
