#include "worker/storage/row_file.hpp"

#include <bit>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "common/error.hpp"
#include "worker/storage/hdf5_file.hpp"

namespace ditscale::worker {

static_assert(std::endian::native == std::endian::little, "rows are used as they lie in the file");

RowFile::RowFile(const std::filesystem::path& path, const std::string& dataset, Access access)
    : label_(fmt::format("{} of {}", dataset, path.string())) {
  const ArrayPlace place = Hdf5File::open(path).place(dataset);
  if (place.shape.empty()) throw common::CorruptData(fmt::format("{}: it is a single number, rows are needed", label_));
  type_ = place.type;
  num_rows_ = place.shape.front();
  row_shape_.assign(place.shape.begin() + 1, place.shape.end());
  row_bytes_ = at::elementSize(type_);
  for (const std::int64_t size : row_shape_) row_bytes_ *= static_cast<std::size_t>(size);
  offset_bytes_ = static_cast<std::int64_t>(place.offset_bytes);
  const int flags = access == Access::kRead ? O_RDONLY : O_RDWR;
  file_ = common::FileDescriptor(::open(path.c_str(), flags | O_CLOEXEC));
  if (!file_.valid()) throw common::errno_error("open", path.string());
}

std::int64_t RowFile::offset_of(std::int64_t first, std::size_t num_bytes) const {
  const auto count = row_bytes_ == 0 ? 0 : static_cast<std::int64_t>(num_bytes / row_bytes_);
  DITSCALE_CHECK(first >= 0 && count <= num_rows_ - first && num_bytes == static_cast<std::size_t>(count) * row_bytes_,
                 "{}: {} bytes from row {} of {} rows of {} bytes", label_, num_bytes, first, num_rows_, row_bytes_);
  return offset_bytes_ + first * static_cast<std::int64_t>(row_bytes_);
}

void RowFile::read(std::int64_t first, std::span<std::byte> out) const {
  std::int64_t offset = offset_of(first, out.size());
  while (!out.empty()) {
    const ssize_t got = ::pread(file_.get(), out.data(), out.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw common::errno_error(fmt::format("read row {}", first), label_);
    if (got == 0) throw common::CorruptData(fmt::format("{}: the file ends inside row {} or after", label_, first));
    out = out.subspan(static_cast<std::size_t>(got));
    offset += got;
  }
}

void RowFile::write(std::int64_t first, std::span<const std::byte> bytes) const {
  std::int64_t offset = offset_of(first, bytes.size());
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(file_.get(), bytes.data(), bytes.size(), offset);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw common::errno_error(fmt::format("write row {}", first), label_);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += put;
  }
}

torch::Tensor RowFile::rows(std::int64_t first, std::int64_t count) const {
  DITSCALE_CHECK(first >= 0 && count >= 0 && count <= num_rows_ - first, "{}: rows {} to {} of {}", label_, first,
                 first + count, num_rows_);
  std::vector<std::int64_t> shape{count};
  shape.insert(shape.end(), row_shape_.begin(), row_shape_.end());
  torch::Tensor result = torch::empty(shape, torch::dtype(type_));
  read(first, {static_cast<std::byte*>(result.data_ptr()), result.nbytes()});
  return result;
}

void RowFile::will_need(std::int64_t row) const noexcept {
  const std::int64_t offset = offset_bytes_ + row * static_cast<std::int64_t>(row_bytes_);
  (void)::posix_fadvise(file_.get(), offset, static_cast<off_t>(row_bytes_), POSIX_FADV_WILLNEED);
}

void RowFile::sync() const {
  if (::fdatasync(file_.get()) != 0) throw common::errno_error("fdatasync", label_);
}

}  // namespace ditscale::worker
