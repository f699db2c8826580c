#include "worker/evaluation/sample_file.hpp"

#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.hpp"
#include "worker/storage/npz_file.hpp"

namespace ditscale::worker {

namespace {

[[noreturn]] void fail_sample_file(const char* call, const std::filesystem::path& path) {
  throw common::SystemError(fmt::format("{} {}: {}", call, path.string(), std::strerror(errno)));
}

}  // namespace

SampleFile::SampleFile(std::filesystem::path file, const std::string& key, std::int64_t num_samples,
                       std::int64_t channels, std::int64_t size)
    : file_(std::move(file)),
      part_(file_.string() + "." + key + ".part"),
      num_samples_(num_samples),
      channels_(channels),
      size_(size) {
  if (std::filesystem::exists(file_))
    throw common::ConfigError(fmt::format("{} is there already: name another file, or remove it", file_.string()));
  descriptor_ = common::FileDescriptor(::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!descriptor_.valid()) fail_sample_file("open", part_);
  struct stat status {};
  if (::fstat(descriptor_.get(), &status) != 0) fail_sample_file("stat", part_);
  const std::int64_t wanted_bytes = num_samples * channels * size * size;
  is_new_ = status.st_size != wanted_bytes;
  if (is_new_ && ::ftruncate(descriptor_.get(), wanted_bytes) != 0) fail_sample_file("truncate", part_);
}

void SampleFile::write(std::int64_t first, const torch::Tensor& images) {
  const torch::Tensor rows = images.permute({0, 2, 3, 1}).contiguous();  // (n, H, W, C)
  const std::int64_t row_bytes = channels_ * size_ * size_;
  DITSCALE_CHECK(static_cast<std::int64_t>(rows.nbytes()) == rows.size(0) * row_bytes, "images of another size");
  const auto* data = static_cast<const char*>(rows.const_data_ptr());
  std::size_t done = 0;
  while (done < rows.nbytes()) {
    const ssize_t count = ::pwrite(descriptor_.get(), data + done, rows.nbytes() - done,
                                   first * row_bytes + static_cast<std::int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail_sample_file("write", part_);
    done += static_cast<std::size_t>(count);
  }
}

void SampleFile::sync() {
  if (::fdatasync(descriptor_.get()) != 0) fail_sample_file("sync", part_);
}

void SampleFile::finish() {
  // Mapped, not read: fifty thousand images of 512 pixels are forty gigabytes.
  const torch::Tensor all =
      at::from_file(part_.string(), /*shared=*/false, num_samples_ * size_ * size_ * channels_, torch::kByte);
  write_npz(file_, {{"arr_0", all.view({num_samples_, size_, size_, channels_})}});
  discard();
}

void SampleFile::discard() {
  if (::unlink(part_.c_str()) != 0) fail_sample_file("unlink", part_);
}

}  // namespace ditscale::worker
