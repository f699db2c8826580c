#include "worker/storage/npz_file.hpp"

#include <array>
#include <cstring>

#include "common/error.hpp"
#include "worker/storage/npy_header.hpp"
#include "worker/storage/zip_writer.hpp"

namespace ditscale::worker {

using common::CorruptData;

namespace {

constexpr std::string_view kNpyEnding = ".npy";
/// NumPy writes about a hundred bytes.
constexpr std::size_t kMaxNpyHeader_bytes = 65'536;

template <typename T>
std::size_t read_length(ZipStream& in) {
  T length{};
  in.read(std::as_writable_bytes(std::span(&length, 1)));
  return length;
}

/// Reads up to where the values begin.
NpyHeader read_header(ZipStream& in, const std::string& label) {
  std::array<char, 8> start{};
  if (in.left_bytes() < start.size()) throw CorruptData(fmt::format("{}: no .npy array: it is too short", label));
  in.read(std::as_writable_bytes(std::span(start)));
  const int version = start[6];
  if (std::memcmp(start.data(), "\x93NUMPY", 6) != 0 || version < 1 || version > 3)
    throw CorruptData(fmt::format("{}: no .npy array of version 1 to 3", label));
  const std::size_t length = version == 1 ? read_length<std::uint16_t>(in) : read_length<std::uint32_t>(in);
  if (length > kMaxNpyHeader_bytes) throw CorruptData(fmt::format("{}: a header of {} bytes", label, length));
  std::string text(length, '\0');
  in.read(std::as_writable_bytes(std::span(text)));
  NpyHeader header = parse_npy_header(text, label);
  if (header.num_bytes != in.left_bytes()) {
    throw CorruptData(
        fmt::format("{}: its shape needs {} bytes, the entry has {}", label, header.num_bytes, in.left_bytes()));
  }
  return header;
}

}  // namespace

NpzFile::NpzFile(ZipFile zip) : zip_(std::move(zip)) {
  for (const std::string& name : zip_.names()) {
    if (name.ends_with(kNpyEnding)) names_.push_back(name.substr(0, name.size() - kNpyEnding.size()));
  }
}

NpzFile NpzFile::open(const std::filesystem::path& path) { return NpzFile(ZipFile::open(path)); }

bool NpzFile::has(const std::string& name) const { return zip_.has(name + std::string(kNpyEnding)); }

NpyHeader NpzFile::header(const std::string& name) const {
  ZipStream in = zip_.stream(name + std::string(kNpyEnding));
  return read_header(in, fmt::format("{}: {}", zip_.label(), name));
}

torch::Tensor NpzFile::read(const std::string& name) const {
  ZipStream in = zip_.stream(name + std::string(kNpyEnding));
  const NpyHeader header = read_header(in, fmt::format("{}: {}", zip_.label(), name));
  std::vector<std::int64_t> shape = header.shape;
  if (header.fortran_order) shape.assign(header.shape.rbegin(), header.shape.rend());
  const bool is_bool = header.type == at::kBool;
  torch::Tensor values = torch::empty(shape, torch::dtype(is_bool ? at::kByte : header.type));
  in.read({static_cast<std::byte*>(values.data_ptr()), values.nbytes()});
  in.expect_end();
  if (is_bool) values = values.ne(0);  // any byte may stand in the file, a bool is 0 or 1
  if (!header.fortran_order || values.dim() < 2) return values;
  std::vector<std::int64_t> reversed(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) reversed[i] = static_cast<std::int64_t>(shape.size() - 1 - i);
  return values.permute(reversed).contiguous();
}

NpzRows::NpzRows(const std::filesystem::path& path, const std::string& name)
    : file_(RandomAccessFile::open(path)), label_(fmt::format("{}: {}", path.string(), name)) {
  entry_ = ZipFile::open(path).entry(name + std::string(kNpyEnding));
  restart();
  if (header_.fortran_order)
    throw common::ConfigError(fmt::format("{}: stored in Fortran order: save it as numpy.ascontiguousarray", label_));
  DITSCALE_CHECK(!header_.shape.empty() && header_.shape[0] > 0 && header_.type != at::kBool, "{} has no rows", label_);
  row_bytes_ = header_.num_bytes / static_cast<std::uint64_t>(header_.shape[0]);
}

void NpzRows::restart() {
  stream_ = std::make_unique<ZipStream>(file_, entry_, label_);
  header_ = read_header(*stream_, label_);
  next_ = 0;
}

torch::Tensor NpzRows::rows(std::int64_t begin, std::int64_t end) {
  DITSCALE_CHECK(0 <= begin && begin < end && end <= header_.shape[0], "{}: rows {} to {}", label_, begin, end);
  if (begin < next_) restart();
  std::vector<std::byte> skipped(row_bytes_);
  for (; next_ < begin; ++next_) stream_->read(skipped);
  std::vector<std::int64_t> shape = header_.shape;
  shape[0] = end - begin;
  torch::Tensor values = torch::empty(shape, torch::dtype(header_.type));
  stream_->read({static_cast<std::byte*>(values.data_ptr()), values.nbytes()});
  next_ = end;
  if (next_ == header_.shape[0]) stream_->expect_end();
  return values;
}

void write_npz(const std::filesystem::path& path, const std::vector<std::pair<std::string, torch::Tensor>>& arrays) {
  ZipWriter zip(path);
  for (const auto& [name, array] : arrays) {
    DITSCALE_CHECK(array.device().is_cpu(), "{} must be on the CPU to be written", name);
    const torch::Tensor values = array.contiguous();
    const std::string header = npy_header_text(values);
    zip.add(
        name + std::string(kNpyEnding),
        {std::as_bytes(std::span(header)), {static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()}});
  }
  zip.commit();
}

}  // namespace ditscale::worker
