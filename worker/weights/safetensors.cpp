#include "worker/weights/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string_view>
#include <tuple>

#include "common/error.hpp"
#include "common/json_document.hpp"
#include "worker/storage/whole_file_writer.hpp"

namespace ditscale::worker {

using common::CorruptData;
using common::Json;

static_assert(std::endian::native == std::endian::little, "values are stored little-endian and copied as they are");

namespace {

struct SafetensorsType {
  std::string_view name;
  at::ScalarType type;
};
constexpr std::array<SafetensorsType, 10> kSafetensorsTypes{{{"F32", at::kFloat},
                                                             {"F16", at::kHalf},
                                                             {"BF16", at::kBFloat16},
                                                             {"F64", at::kDouble},
                                                             {"I64", at::kLong},
                                                             {"I32", at::kInt},
                                                             {"I16", at::kShort},
                                                             {"I8", at::kChar},
                                                             {"U8", at::kByte},
                                                             {"BOOL", at::kBool}}};

constexpr std::uint64_t kLengthBytes = 8;
/// A thousand blocks need 2 MB; parsing takes many times a header's size of memory.
constexpr std::uint64_t kMaxTensorHeader_bytes = std::uint64_t{8} << 20;
constexpr std::size_t kMaxTensorDimensions = 16;
constexpr const char* kMetadataKey = "__metadata__";

std::optional<at::ScalarType> type_from(const std::string& name) {
  const auto* found = std::find_if(kSafetensorsTypes.begin(), kSafetensorsTypes.end(),
                                   [&](const SafetensorsType& t) { return t.name == name; });
  if (found == kSafetensorsTypes.end()) return std::nullopt;
  return found->type;
}

[[noreturn]] void fail(const std::string& file, const std::string& name, const std::string& reason) {
  throw CorruptData(fmt::format("{}: tensor {}: {}", file, common::shown(name), reason));
}

std::uint64_t whole_number(const Json& value, const std::string& file, const std::string& name) {
  if (!value.is_number_unsigned()) {
    fail(file, name, fmt::format("{} stands where a whole number is needed", common::shown(value)));
  }
  return value.get<std::uint64_t>();
}

/// Bytes of the values; shape and type are filled in.
std::uint64_t read_shape(const Json& shape, const std::string& file, const std::string& name,
                         SafetensorsFile::Entry& entry) {
  if (!shape.is_array() || shape.size() > kMaxTensorDimensions)
    fail(file, name, fmt::format("its shape is no list of at most {} sizes", kMaxTensorDimensions));
  std::int64_t bytes = static_cast<std::int64_t>(at::elementSize(entry.type));
  bool is_empty = false;
  for (const Json& item : shape) {
    const std::uint64_t size = whole_number(item, file, name);
    // Sizes beside a zero count as well: strides are computed from them.
    if (size > (std::uint64_t{1} << 62) ||
        __builtin_mul_overflow(bytes, std::max<std::int64_t>(1, static_cast<std::int64_t>(size)), &bytes))
      fail(file, name, fmt::format("impossible shape {}", shape.dump()));
    is_empty = is_empty || size == 0;
    entry.shape.push_back(static_cast<std::int64_t>(size));
  }
  return is_empty ? 0 : static_cast<std::uint64_t>(bytes);
}

/// `data_start` is where the data begins in the file.
SafetensorsFile::Entry read_entry(const Json& json, std::uint64_t data_start, const std::string& file,
                                  const std::string& name) {
  for (const char* key : {"dtype", "shape", "data_offsets"}) {
    if (!json.is_object() || !json.contains(key)) fail(file, name, fmt::format("its {} is missing", key));
  }
  SafetensorsFile::Entry entry;
  const Json& type = json["dtype"];
  const auto known = type.is_string() ? type_from(type.get<std::string>()) : std::nullopt;
  if (!known) {
    fail(file, name,
         fmt::format("elements of type {} are not read; allowed: F64, F32, F16, BF16, I64, I32, I16, I8, U8, "
                     "BOOL",
                     common::shown(type)));
  }
  entry.type = *known;
  entry.num_bytes = read_shape(json["shape"], file, name, entry);
  const Json& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) fail(file, name, "its data_offsets are not two numbers");
  const std::uint64_t begin = whole_number(offsets[0], file, name);
  const std::uint64_t end = whole_number(offsets[1], file, name);
  if (end < begin || end - begin != entry.num_bytes) {
    fail(file, name, fmt::format("bytes {} to {} do not hold its {} bytes", begin, end, entry.num_bytes));
  }
  if (begin > std::uint64_t{1} << 62) fail(file, name, "its data stands outside the file");
  entry.offset_bytes = data_start + begin;
  return entry;
}

TextMap read_metadata(const Json& json, const std::string& file) {
  TextMap result;
  if (!json.is_object()) throw CorruptData(fmt::format("{}: {} is no object", file, kMetadataKey));
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string())
      throw CorruptData(fmt::format("{}: {}: the value of {} is no text", file, kMetadataKey, key));
    result[key] = value.get<std::string>();
  }
  return result;
}

Json read_header(const RandomAccessFile& file, std::uint64_t& data_start) {
  std::array<std::byte, kLengthBytes> bytes{};
  file.read(0, bytes);
  const auto length = std::bit_cast<std::uint64_t>(bytes);
  if (length > kMaxTensorHeader_bytes || length > file.size_bytes() - kLengthBytes) {
    throw CorruptData(fmt::format("{}: no safetensors file: its header would have {} bytes, the file has {}",
                                  file.label(), length, file.size_bytes()));
  }
  data_start = kLengthBytes + length;
  try {
    Json header = common::parse_json(file.read_text(kLengthBytes, length), file.label() + " (header)").value;
    if (!header.is_object()) throw CorruptData(fmt::format("{}: its header is no object", file.label()));
    return header;
  } catch (const common::ConfigError& error) {
    throw CorruptData(fmt::format("no safetensors file: {}", error.what()));
  }
}

std::string_view name_of(at::ScalarType type) {
  const auto* found = std::find_if(kSafetensorsTypes.begin(), kSafetensorsTypes.end(),
                                   [&](const SafetensorsType& t) { return t.type == type; });
  DITSCALE_CHECK(found != kSafetensorsTypes.end(), "{} has no place in a safetensors file", at::toString(type));
  return found->name;
}

std::string header_text(const NamedTensors& tensors, const TextMap& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header[kMetadataKey] = metadata;
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    DITSCALE_CHECK(name != kMetadataKey && !header.contains(name), "tensor {} stands twice", name);
    DITSCALE_CHECK(tensor.device().is_cpu(), "{} must be on the CPU to be written", name);
    header[name] = {{"dtype", name_of(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {at, at + tensor.nbytes()}}};
    at += tensor.nbytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');  // the data starts aligned
  return text;
}

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  SafetensorsFile result(RandomAccessFile::open(path));
  const std::string& label = result.file_.label();
  std::uint64_t data_start = 0;
  const Json header = read_header(result.file_, data_start);
  for (const auto& [name, json] : header.items()) {
    if (name == kMetadataKey) {
      result.metadata_ = read_metadata(json, label);
    } else {
      result.entries_[name] = read_entry(json, data_start, label, name);
      result.names_.push_back(name);
    }
  }
  const auto place = [&](const std::string& name) {
    const Entry& e = result.entries_[name];
    return std::tuple(e.offset_bytes, e.num_bytes, name);  // an empty tensor stands before what begins with it
  };
  std::sort(result.names_.begin(), result.names_.end(),
            [&](const std::string& a, const std::string& b) { return place(a) < place(b); });
  std::uint64_t expected = data_start;
  for (const std::string& name : result.names_) {
    const Entry& e = result.entries_[name];
    if (e.offset_bytes != expected)
      fail(label, name,
           fmt::format("its data begins at byte {}, expected is {}: gap or overlap", e.offset_bytes, expected));
    if (e.num_bytes > result.file_.size_bytes() - expected) fail(label, name, "the file is cut short");
    expected += e.num_bytes;
  }
  if (expected != result.file_.size_bytes()) {
    throw CorruptData(fmt::format("{}: {} bytes too many at its end", label, result.file_.size_bytes() - expected));
  }
  return result;
}

const SafetensorsFile::Entry& SafetensorsFile::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw CorruptData(fmt::format("{} has no tensor {}", file_.label(), name));
  return found->second;
}

torch::Tensor SafetensorsFile::read(const std::string& name) const {
  const Entry& e = entry(name);
  const bool is_bool = e.type == at::kBool;
  torch::Tensor tensor = torch::empty(e.shape, torch::dtype(is_bool ? at::kByte : e.type));
  file_.read(e.offset_bytes, {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()});
  return is_bool ? tensor.ne(0) : tensor;  // any byte may stand in the file, a bool is 0 or 1
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors, const TextMap& metadata) {
  const std::string header = header_text(tensors, metadata);
  const std::uint64_t length = header.size();
  WholeFileWriter out(path);
  out.write(std::as_bytes(std::span(&length, 1)));
  out.write(header);
  for (const auto& item : tensors) {
    const torch::Tensor values = item.second.contiguous();
    out.write({static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()});
  }
  out.commit();
}

}  // namespace ditscale::worker
