#include "results/storage/filesystem.hpp"

#include <algorithm>
#include <array>

#include <sys/vfs.h>

#include "common/error.hpp"

namespace ditscale::results {

namespace {

/// From statfs(2) and the filesystems' own sources.
constexpr std::array<unsigned long, 16> kNetworkTypes{
    0x6969,      // NFS
    0x517B,      // SMB
    0xFF534D42,  // CIFS
    0xFE534D42,  // SMB 2
    0x0BD00BD0,  // Lustre
    0x47504653,  // GPFS
    0x19830326,  // BeeGFS
    0x00C36400,  // Ceph
    0x65735546,  // FUSE: sshfs and others; cannot be told apart
    0x5346414F,  // AFS
    0x6B414653,  // kAFS
    0x73757245,  // Coda
    0xAAD7AAEA,  // PanFS
    0x7461636F,  // OCFS2
    0x01161970,  // GFS2
    0x20030528,  // OrangeFS
};

}  // namespace

bool is_network_filesystem(unsigned long f_type) {
  return std::find(kNetworkTypes.begin(), kNetworkTypes.end(), f_type & 0xFFFFFFFFUL) != kNetworkTypes.end();
}

bool on_network_filesystem(const std::filesystem::path& folder) {
  struct statfs info {};
  const std::filesystem::path asked = folder.empty() ? "." : folder;
  if (::statfs(asked.c_str(), &info) != 0) throw common::errno_error("statfs", asked.string());
  return is_network_filesystem(static_cast<unsigned long>(info.f_type));
}

}  // namespace ditscale::results
