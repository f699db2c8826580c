#pragma once

#include <filesystem>

namespace ditscale::results {

/// True for the `f_type` (statfs) of filesystems whose files several machines may share: NFS, SMB, Lustre, GPFS,
/// BeeGFS, Ceph, AFS, FUSE … There SQLite's WAL, which needs shared memory between all users of the file, is unsafe.
[[nodiscard]] bool is_network_filesystem(unsigned long f_type);

/// The same for the filesystem that holds `folder`; throws SystemError when it cannot be asked.
[[nodiscard]] bool on_network_filesystem(const std::filesystem::path& folder);

}  // namespace ditscale::results
