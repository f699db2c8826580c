#include "worker/weights/legacy_pt_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/error.hpp"
#include "common/json_document.hpp"

namespace ditscale::worker {

using common::CorruptData;
using common::valid_utf8;

namespace {

/// Pickles of published weights need less than 100 KB.
constexpr std::uint64_t kMaxPickles_bytes = std::uint64_t{8} << 20;
constexpr std::size_t kMostDimensions = 16;

constexpr std::array<std::pair<std::string_view, at::ScalarType>, 5> kLegacyTypes{{{"torch.FloatStorage", at::kFloat},
                                                                                   {"torch.HalfStorage", at::kHalf},
                                                                                   {"torch.DoubleStorage", at::kDouble},
                                                                                   {"torch.LongStorage", at::kLong},
                                                                                   {"torch.IntStorage", at::kInt}}};

/// The items of a tensor's rebuilding call: storage, offset, sizes, strides, …; null for anything else.
const PickleValue* rebuilt_tensor(const PickleValue& value) {
  const PickleValue* call = &value;
  if (call->kind == PickleKind::kCall && call->text == "torch._utils._rebuild_parameter" && !call->items.empty())
    call = call->items.front();
  const bool fits = call->kind == PickleKind::kCall && call->text == "torch._utils._rebuild_tensor_v2" &&
                    call->items.size() >= 4 && call->items[0]->kind == PickleKind::kPersistent &&
                    call->items[1]->kind == PickleKind::kInt && call->items[2]->kind == PickleKind::kTuple &&
                    call->items[3]->kind == PickleKind::kTuple;
  return fits ? call : nullptr;
}

bool is_dense(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides) {
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= std::max<std::int64_t>(shape[i], 1);
  }
  return true;
}

}  // namespace

void LegacyPtFile::fail(const std::string& reason) const {
  throw CorruptData(fmt::format("{}: {}", file_.label(), reason));
}

LegacyPtFile::LegacyPtFile(const std::filesystem::path& path) : file_(RandomAccessFile::open(path)) {
  const std::string text = file_.read_text(0, std::min(file_.size_bytes(), kMaxPickles_bytes));
  if (!text.starts_with(kLegacyPtStart)) fail("not a file of torch.save before PyTorch 1.6");
  std::string_view left = std::string_view(text).substr(kLegacyPtStart.size());
  const auto next = [&] {
    std::size_t used = 0;
    Pickle pickle = Pickle::parse_first(left, file_.label(), used);
    left.remove_prefix(used);
    return pickle;
  };
  const Pickle machine = next();
  const PickleValue* little = machine.root().find("little_endian");
  if (little == nullptr || little->kind != PickleKind::kBool || little->integer == 0)
    fail("its numbers are not little-endian");
  const Pickle tensors = next();
  const Pickle keys = next();
  read_tensors(tensors.root());
  find_storages(keys.root(), text.size() - left.size());
}

void LegacyPtFile::read_tensors(const PickleValue& tensors) {
  if (tensors.kind != PickleKind::kDict) fail("it is no state dict: a dictionary of tensors is needed");
  for (std::size_t i = 0; i + 1 < tensors.items.size(); i += 2) {
    if (tensors.items[i]->kind != PickleKind::kText) fail("a tensor's name is no text");
    const std::string& name = tensors.items[i]->text;
    if (!entries_.emplace(name, entry_of(valid_utf8(name), *tensors.items[i + 1])).second)
      fail(fmt::format("tensor {} stands twice", valid_utf8(name)));
    names_.push_back(name);
  }
}

LegacyPtFile::Entry LegacyPtFile::entry_of(const std::string& name, const PickleValue& value) {
  const PickleValue* call = rebuilt_tensor(value);
  if (call == nullptr)
    fail(
        fmt::format("{} is no tensor; only plain state dicts are read in this old format: load it in Python and "
                    "torch.save it again",
                    name));
  const auto sizes = [&](const PickleValue& tuple) {
    std::vector<std::int64_t> result;
    for (const PickleValue* item : tuple.items) {
      if (item->kind != PickleKind::kInt || item->integer < 0 || tuple.items.size() > kMostDimensions)
        fail(fmt::format("tensor {}: its shape or strides are no sizes", name));
      result.push_back(item->integer);
    }
    return result;
  };
  const auto& id = call->items[0]->items[0]->items;
  if (call->items[0]->items[0]->kind != PickleKind::kTuple || id.size() != 6 || id[1]->kind != PickleKind::kGlobal ||
      id[2]->kind != PickleKind::kText || id[4]->kind != PickleKind::kInt || id[5]->kind != PickleKind::kNone)
    fail(fmt::format("tensor {}: its storage is not named as torch.save did", name));
  const auto* type = std::find_if(kLegacyTypes.begin(), kLegacyTypes.end(),
                                  [&](const auto& known) { return known.first == id[1]->text; });
  if (type == kLegacyTypes.end())
    fail(fmt::format("tensor {}: storages of {} are not read", name, valid_utf8(id[1]->text)));
  Entry entry{type->second, sizes(*call->items[2]), call->items[1]->integer, id[2]->text};
  const auto count = num_values(entry.shape);
  if (!count) fail(fmt::format("tensor {} has an impossible shape", name));
  std::int64_t end = *count;
  const std::vector<std::int64_t> strides = sizes(*call->items[3]);
  if (strides.size() != entry.shape.size() || !is_dense(entry.shape, strides))
    fail(fmt::format("tensor {} is not contiguous", name));
  const Storage storage{entry.type, id[4]->integer, 0};
  const Storage& known = storages_.emplace(entry.storage, storage).first->second;
  if (known.type != storage.type || known.num_elements != storage.num_elements)
    fail(fmt::format("tensor {}: its storage is described in two ways", name));
  if (entry.offset < 0 || __builtin_add_overflow(end, entry.offset, &end) || end > storage.num_elements)
    fail(fmt::format("tensor {} reaches outside its storage of {} elements", name, storage.num_elements));
  return entry;
}

void LegacyPtFile::find_storages(const PickleValue& keys, std::uint64_t at_bytes) {
  if (keys.kind != PickleKind::kList) fail("it has no list of storages");
  for (const PickleValue* key : keys.items) {
    const auto found = key->kind == PickleKind::kText ? storages_.find(key->text) : storages_.end();
    if (found == storages_.end() || found->second.offset_bytes != 0)
      fail("its list names a storage that no tensor has, or one twice");
    Storage& storage = found->second;
    std::int64_t count = 0;
    file_.read(at_bytes, std::as_writable_bytes(std::span(&count, 1)));
    if (count != storage.num_elements)
      fail(fmt::format("a storage has {} elements, its tensors say {}", count, storage.num_elements));
    storage.offset_bytes = at_bytes + sizeof count;
    const auto element_bytes = static_cast<std::uint64_t>(at::elementSize(storage.type));
    const std::uint64_t left_bytes = file_.size_bytes() - storage.offset_bytes;
    if (count < 0 || static_cast<std::uint64_t>(count) > left_bytes / element_bytes)
      fail(fmt::format("a storage of {} elements is cut short", count));
    at_bytes = storage.offset_bytes + static_cast<std::uint64_t>(count) * element_bytes;
  }
  if (keys.items.size() != storages_.size()) fail("a tensor's storage is missing");
  if (at_bytes != file_.size_bytes()) fail("bytes follow its last storage");
}

const LegacyPtFile::Entry& LegacyPtFile::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail(fmt::format("no tensor {}", valid_utf8(name)));
  return found->second;
}

torch::Tensor LegacyPtFile::read(const std::string& name) {
  const Entry& e = entry(name);
  torch::Tensor values = torch::empty(e.shape, torch::dtype(e.type));
  const auto skipped_bytes = static_cast<std::uint64_t>(e.offset) * at::elementSize(e.type);
  file_.read(storages_.at(e.storage).offset_bytes + skipped_bytes,
             {static_cast<std::byte*>(values.data_ptr()), values.nbytes()});
  return values;
}

}  // namespace ditscale::worker
