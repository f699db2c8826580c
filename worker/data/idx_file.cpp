#include "worker/data/idx_file.hpp"

#include <array>
#include <span>

#include "common/error.hpp"
#include "worker/data/packed_file.hpp"

namespace ditscale::worker {

namespace {

/// Two zero bytes, 8 for "unsigned byte", and the number of dimensions.
constexpr std::uint32_t kUnsignedByteMagic = 0x0800;

std::uint32_t read_big_endian(PackedFile& file) {
  std::array<std::byte, 4> bytes{};
  file.read(bytes);
  std::uint32_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint32_t>(byte);
  return value;
}

std::vector<std::int64_t> read_shape(PackedFile& file, const std::filesystem::path& path, std::size_t rank) {
  const std::uint32_t magic = read_big_endian(file);
  if (magic != (kUnsignedByteMagic | rank))
    throw common::CorruptData(
        fmt::format("{}: magic number {:#010x}, an IDX file of bytes in {} dimensions has {:#010x}", path.string(),
                    magic, rank, kUnsignedByteMagic | rank));
  std::vector<std::int64_t> shape(rank);
  for (std::int64_t& size : shape) size = read_big_endian(file);
  return shape;
}

void check_shape(const std::vector<std::int64_t>& shape, const std::filesystem::path& path,
                 const IdxExpectation& expected) {
  const std::vector<std::int64_t> entry(shape.begin() + 1, shape.end());
  if (shape[0] < 1 || shape[0] > expected.max_entries || entry != expected.entry_shape)
    throw common::CorruptData(fmt::format("{}: sizes ({}), needed are at most {} entries of ({})", path.string(),
                                          fmt::join(shape, ", "), expected.max_entries,
                                          fmt::join(expected.entry_shape, ", ")));
}

void check_credible(const std::vector<std::int64_t>& shape, const std::filesystem::path& path,
                    std::int64_t most_bytes) {
  std::int64_t num_bytes = 1;
  for (const std::int64_t size : shape) {
    if (size == 0 || __builtin_mul_overflow(num_bytes, size, &num_bytes) || num_bytes > most_bytes)
      throw common::CorruptData(fmt::format("{}: sizes ({}); the file can hold at most {} bytes of data", path.string(),
                                            fmt::join(shape, ", "), most_bytes));
  }
}

torch::Tensor read_values(PackedFile& file, const std::vector<std::int64_t>& shape) {
  torch::Tensor values = torch::empty(shape, torch::kByte);
  file.read(std::as_writable_bytes(std::span(values.data_ptr<std::uint8_t>(), values.nbytes())));
  file.expect_end();
  return values;
}

}  // namespace

torch::Tensor read_idx(const std::filesystem::path& path, const IdxExpectation& expected) {
  PackedFile file(path);
  const std::vector<std::int64_t> shape = read_shape(file, path, expected.entry_shape.size() + 1);
  check_shape(shape, path, expected);
  return read_values(file, shape);
}

torch::Tensor read_idx_array(const std::filesystem::path& path, std::size_t rank) {
  PackedFile file(path);
  const std::vector<std::int64_t> shape = read_shape(file, path, rank);
  check_credible(shape, path, file.most_bytes());
  return read_values(file, shape);
}

}  // namespace ditscale::worker
