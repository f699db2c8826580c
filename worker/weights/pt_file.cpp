#include "worker/weights/pt_file.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/ranges.h>

#include "common/error.hpp"
#include "common/json_document.hpp"

namespace ditscale::worker {

using common::CorruptData;
using common::valid_utf8;

namespace {

/// 160,000 tensors and their names; published files need 40 KB.
constexpr std::uint64_t kMaxPickle_bytes = std::uint64_t{32} << 20;
constexpr std::size_t kMaxPtDimensions = 16;
constexpr int kMaxKeyDepth = 8;

struct StorageType {
  std::string_view name;
  at::ScalarType type;
};
constexpr std::array<StorageType, 10> kStorageTypes{{{"torch.FloatStorage", at::kFloat},
                                                     {"torch.HalfStorage", at::kHalf},
                                                     {"torch.BFloat16Storage", at::kBFloat16},
                                                     {"torch.DoubleStorage", at::kDouble},
                                                     {"torch.LongStorage", at::kLong},
                                                     {"torch.IntStorage", at::kInt},
                                                     {"torch.ShortStorage", at::kShort},
                                                     {"torch.CharStorage", at::kChar},
                                                     {"torch.ByteStorage", at::kByte},
                                                     {"torch.BoolStorage", at::kBool}}};

/// The call that rebuilds a tensor, out of the wrapping of a parameter; null when `value` is no tensor.
const PickleValue* tensor_call(const PickleValue& value) {
  const PickleValue* call = &value;
  const bool wrapped =
      call->kind == PickleKind::kCall && !call->items.empty() &&
      (call->text == "torch._utils._rebuild_parameter" || call->text == "torch._utils._rebuild_parameter_with_state");
  if (wrapped) call = call->items.front();
  return call->kind == PickleKind::kCall && call->text == "torch._utils._rebuild_tensor_v2" ? call : nullptr;
}

bool holds_tensors(const PickleValue& value) {
  if (value.kind != PickleKind::kDict) return false;
  for (std::size_t i = 1; i < value.items.size(); i += 2) {
    if (tensor_call(*value.items[i]) != nullptr) return true;
  }
  return false;
}

std::string keys_of(const PickleValue& dictionary) {
  constexpr std::size_t kMostShown = 12;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i + 1 < dictionary.items.size() && keys.size() < kMostShown; i += 2) {
    if (dictionary.items[i]->kind == PickleKind::kText) keys.push_back(valid_utf8(dictionary.items[i]->text));
  }
  return keys.empty() ? "none" : fmt::format("{}", fmt::join(keys, ", "));
}

}  // namespace

void PtFile::fail(const std::string& reason) const { throw CorruptData(fmt::format("{}: {}", zip_.label(), reason)); }

PtFile::PtFile(const std::filesystem::path& path, const std::string& key) : zip_(ZipFile::open(path)) {
  constexpr std::string_view kPickle = "data.pkl";
  for (const std::string& name : zip_.names()) {
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos || name.substr(slash + 1) != kPickle) continue;
    if (!prefix_.empty()) fail("it has two pickles");
    prefix_ = name.substr(0, slash + 1);
  }
  if (prefix_.empty()) fail("a zip archive, but not one of torch.save: it has no data.pkl");
  check_byte_order();
  const std::string text = zip_.read_text(prefix_ + std::string(kPickle), kMaxPickle_bytes);
  const Pickle pickle = Pickle::parse(text, zip_.label());
  const PickleValue& tensors = choose(pickle.root(), key);
  for (std::size_t i = 0; i + 1 < tensors.items.size(); i += 2) {
    if (tensors.items[i]->kind != PickleKind::kText) fail("a tensor's name is no text");
    const std::string& name = tensors.items[i]->text;
    if (!entries_.emplace(name, entry_of(name, *tensors.items[i + 1])).second)
      fail(fmt::format("tensor {} stands twice", valid_utf8(name)));
    names_.push_back(name);
  }
}

void PtFile::check_byte_order() const {
  const std::string name = prefix_ + "byteorder";
  if (!zip_.has(name)) return;
  const std::string order = zip_.read_text(name, 16);
  if (order != "little") fail(fmt::format("its numbers are {}-endian; only little is read", valid_utf8(order)));
}

const PickleValue& PtFile::choose(const PickleValue& root, const std::string& key) {
  if (root.kind != PickleKind::kDict)
    fail("its pickle is no dictionary: a state dict, or a training checkpoint with one, is needed");
  if (!key.empty()) {
    const PickleValue* value = &root;
    std::size_t start = 0;
    for (int depth = 0; depth < kMaxKeyDepth && start <= key.size(); ++depth) {
      const std::size_t slash = std::min(key.find('/', start), key.size());
      const PickleValue* next = value->find(std::string_view(key).substr(start, slash - start));
      if (next == nullptr)
        throw common::UsageError(fmt::format("--key {}: {} has {}", key, zip_.label(), keys_of(*value)));
      value = next;
      start = slash + 1;
    }
    if (start <= key.size() || !holds_tensors(*value))
      throw common::UsageError(fmt::format("--key {}: in {} this is no dictionary of tensors", key, zip_.label()));
    key_ = key;
    return *value;
  }
  if (holds_tensors(root)) return root;
  for (const char* usual : {"ema", "model", "state_dict"}) {
    const PickleValue* value = root.find(usual);
    if (value == nullptr || !holds_tensors(*value)) continue;
    key_ = usual;
    return *value;
  }
  fail(fmt::format("no state dict is found; choose one with --key. It has: {}", keys_of(root)));
}

void PtFile::read_storage_id(const std::string& name, const PickleValue& value, Entry& entry) const {
  const bool is_id = value.kind == PickleKind::kPersistent && value.items[0]->kind == PickleKind::kTuple &&
                     value.items[0]->items.size() == 5;
  if (!is_id) fail(fmt::format("tensor {}: its storage is not named as torch.save does", name));
  const auto& id = value.items[0]->items;
  if (id[1]->kind != PickleKind::kGlobal || id[2]->kind != PickleKind::kText || id[4]->kind != PickleKind::kInt)
    fail(fmt::format("tensor {}: its storage is not named as torch.save does", name));
  const auto* type = std::find_if(kStorageTypes.begin(), kStorageTypes.end(),
                                  [&](const StorageType& known) { return known.name == id[1]->text; });
  if (type == kStorageTypes.end())
    fail(fmt::format("tensor {}: storages of {} are not read", name, valid_utf8(id[1]->text)));
  entry.type = type->type;
  entry.storage = prefix_ + "data/" + id[2]->text;
  entry.num_elements = id[4]->integer;
  const auto element_bytes = static_cast<std::uint64_t>(at::elementSize(entry.type));
  if (!zip_.has(entry.storage)) fail(fmt::format("tensor {}: its storage is missing", name));
  // What torch.save writes takes memory that the file has on the disk, too.
  if (zip_.entry(entry.storage).deflated)
    fail(
        fmt::format("tensor {}: its storage is packed, which torch.save never does; load it with PyTorch and save it "
                    "anew",
                    name));
  const std::uint64_t num_bytes = zip_.entry(entry.storage).num_bytes;
  if (num_bytes % element_bytes != 0 || static_cast<std::int64_t>(num_bytes / element_bytes) != entry.num_elements) {
    fail(fmt::format("tensor {}: its storage would have {} elements of {} bytes, the entry has {} bytes", name,
                     entry.num_elements, element_bytes, num_bytes));
  }
}

PtFile::Entry PtFile::entry_of(const std::string& raw_name, const PickleValue& value) const {
  const std::string name = valid_utf8(raw_name);
  const PickleValue* call = tensor_call(value);
  if (call == nullptr) fail(fmt::format("{} is no tensor", name));
  constexpr std::size_t kNeeded = 4;
  if (call->items.size() < kNeeded || call->items[1]->kind != PickleKind::kInt ||
      call->items[2]->kind != PickleKind::kTuple || call->items[3]->kind != PickleKind::kTuple)
    fail(fmt::format("tensor {} is not described as torch.save does", name));
  Entry entry;
  read_storage_id(name, *call->items[0], entry);
  entry.offset = call->items[1]->integer;
  const auto sizes = [&](const PickleValue& tuple) {
    std::vector<std::int64_t> result;
    for (const PickleValue* item : tuple.items) {
      if (item->kind != PickleKind::kInt || item->integer < 0 || tuple.items.size() > kMaxPtDimensions)
        fail(fmt::format("tensor {}: its shape or strides are no sizes", name));
      result.push_back(item->integer);
    }
    return result;
  };
  entry.shape = sizes(*call->items[2]);
  entry.strides = sizes(*call->items[3]);
  check_bounds(name, entry);
  return entry;
}

void PtFile::check_bounds(const std::string& name, const Entry& entry) const {
  if (entry.shape.size() != entry.strides.size())
    fail(fmt::format("tensor {}: {} sizes and {} strides", name, entry.shape.size(), entry.strides.size()));
  std::int64_t count = 1, last = entry.offset;
  bool overflows = entry.offset < 0, is_empty = false;
  for (std::size_t i = 0; i < entry.shape.size(); ++i) {
    std::int64_t reach = 0;
    is_empty = is_empty || entry.shape[i] == 0;
    overflows = overflows || __builtin_mul_overflow(count, std::max<std::int64_t>(entry.shape[i], 1), &count) ||
                __builtin_mul_overflow(std::max<std::int64_t>(entry.shape[i] - 1, 0), entry.strides[i], &reach) ||
                __builtin_add_overflow(last, reach, &last);
  }
  if (is_empty) count = 0;
  if (overflows || (!is_empty && last >= entry.num_elements) || entry.offset > entry.num_elements)
    fail(fmt::format("tensor {} reaches outside its storage of {} elements", name, entry.num_elements));
  if (count > entry.num_elements)
    fail(fmt::format("tensor {}: {} elements out of a storage of {} would share memory", name, count,
                     entry.num_elements));
}

const PtFile::Entry& PtFile::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail(fmt::format("no tensor {}", valid_utf8(name)));
  return found->second;
}

torch::Tensor PtFile::read(const std::string& name) {
  const Entry& e = entry(name);
  const bool is_bool = e.type == at::kBool;
  if (cached_storage_ != e.storage) {
    cached_ = torch::Tensor();
    cached_storage_.clear();
    torch::Tensor storage = torch::empty({e.num_elements}, torch::dtype(is_bool ? at::kByte : e.type));
    ZipStream in = zip_.stream(e.storage);
    in.read({static_cast<std::byte*>(storage.data_ptr()), storage.nbytes()});
    in.expect_end();
    cached_ = is_bool ? storage.ne(0) : storage;
    cached_storage_ = e.storage;
  }
  if (cached_.scalar_type() != e.type) fail(fmt::format("storage {} is used as two types", valid_utf8(e.storage)));
  return cached_.as_strided(e.shape, e.strides, e.offset).contiguous();
}

}  // namespace ditscale::worker
