#include "worker/weights/pickle_machine.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "common/error.hpp"
#include "common/json_document.hpp"

namespace ditscale::worker {

namespace {

constexpr std::size_t kMaxValues = 4'000'000;
constexpr std::size_t kMaxStack = 1'000'000;
constexpr std::size_t kMaxItems = 8'000'000;
constexpr std::size_t kMaxName_bytes = 1000;
/// Of all values together: a name that is recalled again and again costs the file a few bytes each time.
constexpr std::size_t kMaxNames_bytes = std::size_t{64} << 20;

/// Functions whose call describes data. What they would make is never made.
constexpr std::array<std::string_view, 29> kDescribing{"torch._utils._rebuild_tensor_v2",
                                                       "torch._utils._rebuild_parameter",
                                                       "torch._utils._rebuild_parameter_with_state",
                                                       "torch._tensor._rebuild_from_type_v2",
                                                       "torch.Size",
                                                       "torch.device",
                                                       "torch.serialization._get_layout",
                                                       "collections.OrderedDict",
                                                       "collections.defaultdict",
                                                       "collections.Counter",
                                                       "argparse.Namespace",
                                                       "types.SimpleNamespace",
                                                       "copyreg._reconstructor",
                                                       "pathlib.PosixPath",
                                                       "pathlib.PurePosixPath",
                                                       "pathlib.WindowsPath",
                                                       "pathlib.PureWindowsPath",
                                                       "numpy.dtype",
                                                       "numpy.core.multiarray.scalar",
                                                       "numpy._core.multiarray.scalar",
                                                       "numpy.core.multiarray._reconstruct",
                                                       "numpy._core.multiarray._reconstruct",
                                                       "_codecs.encode",
                                                       "builtins.set",
                                                       "builtins.frozenset",
                                                       "builtins.complex",
                                                       "builtins.slice",
                                                       "builtins.bytearray",
                                                       "datetime.datetime"};

/// Protocol 2 has Python 2's names of modules, and Python 3.13 moved the classes of pathlib.
std::string_view present_module(std::string_view module) {
  if (module == "__builtin__") return "builtins";
  if (module == "copy_reg") return "copyreg";
  if (module == "pathlib._local") return "pathlib";
  return module;
}

bool is_dictionary(std::string_view name) {
  return name == "collections.OrderedDict" || name == "collections.defaultdict" || name == "collections.Counter";
}

}  // namespace

PickleMachine::PickleMachine(std::deque<PickleValue>& values, std::string_view bytes, std::string label)
    : values_(values), bytes_(bytes), label_(std::move(label)) {
  none_ = &make(PickleKind::kNone);
  PickleValue& yes = make(PickleKind::kBool);
  yes.integer = 1;
  true_ = &yes;
  false_ = &make(PickleKind::kBool);
  empty_tuple_ = &make(PickleKind::kTuple);
}

void PickleMachine::fail(const std::string& reason) const {
  throw common::CorruptData(fmt::format("{}: byte {} of the pickle: {}", label_, at_, reason));
}

std::string_view PickleMachine::text(std::uint64_t count) {
  if (count > bytes_.size() - at_) fail(fmt::format("{} bytes are needed, {} are left", count, bytes_.size() - at_));
  const std::string_view result = bytes_.substr(at_, count);
  at_ += count;
  return result;
}

std::string_view PickleMachine::line() {
  const std::size_t end = bytes_.find('\n', at_);
  if (end == std::string_view::npos || end - at_ > kMaxName_bytes) fail("a name never ends");
  const std::string_view result = text(end - at_);
  ++at_;
  return result;
}

PickleValue& PickleMachine::make(PickleKind kind) {
  if (values_.size() >= kMaxValues) fail(fmt::format("more than {} values", kMaxValues));
  PickleValue& value = values_.emplace_back();
  value.kind = kind;
  return value;
}

void PickleMachine::push(const PickleValue* value) {
  if (stack_.size() >= kMaxStack) fail(fmt::format("more than {} values on the stack", kMaxStack));
  stack_.push_back(value);
}

void PickleMachine::push_integer(std::int64_t value) {
  PickleValue& made = make(PickleKind::kInt);
  made.integer = value;
  push(&made);
}

void PickleMachine::push_text(std::string_view value) {
  PickleValue& made = make(PickleKind::kText);
  made.text = value;
  push(&made);
}

void PickleMachine::push_tuple(Values items) {
  if (items.empty()) return push(empty_tuple_);
  PickleValue& made = make(PickleKind::kTuple);
  made.items = std::move(items);
  push(&made);
}

const PickleValue* PickleMachine::pop() {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) fail("a value is needed, the stack has none");
  const PickleValue* value = stack_.back();
  stack_.pop_back();
  return value;
}

PickleMachine::Values PickleMachine::pop_to_mark() {
  if (marks_.empty()) fail("a mark is needed, there is none");
  const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  Values values(first, stack_.end());
  stack_.erase(first, stack_.end());
  marks_.pop_back();
  return values;
}

void PickleMachine::extend_top(PickleKind kind, const Values& items) {
  if (kind == PickleKind::kDict && items.size() % 2 != 0) fail("a key without a value");
  const PickleValue* top = pop();
  push(top);
  if (top->kind == PickleKind::kOpaque || top->kind == PickleKind::kCall) return;
  if (top->kind != kind) fail("items are put into something that is no collection of theirs");
  num_items_ += items.size();
  if (num_items_ > kMaxItems) fail(fmt::format("more than {} items in its collections", kMaxItems));
  // Values are made by this machine alone, in a deque that it may change.
  auto& collection = const_cast<PickleValue*>(top)->items;
  collection.insert(collection.end(), items.begin(), items.end());
}

void PickleMachine::push_long(std::uint64_t num_bytes) {
  const std::string_view digits = text(num_bytes);
  if (digits.size() > sizeof(std::int64_t)) fail("a whole number of more than 64 bits");
  const bool negative = !digits.empty() && (static_cast<unsigned char>(digits.back()) & 0x80U) != 0;
  std::int64_t value = negative ? -1 : 0;
  std::memcpy(&value, digits.data(), digits.size());
  push_integer(value);
}

void PickleMachine::set_name(PickleValue& value, std::string_view name) {
  name_bytes_ += name.size();
  if (name_bytes_ > kMaxNames_bytes) fail("more than 64 MiB of names");
  value.text = name;
}

void PickleMachine::push_global(std::string_view module, std::string_view name) {
  if (module.size() + name.size() > kMaxName_bytes) fail("a name of more than a thousand characters");
  PickleValue& made = make(PickleKind::kGlobal);
  set_name(made, fmt::format("{}.{}", present_module(module), name));
  push(&made);
}

void PickleMachine::call() {
  const PickleValue* arguments = pop();
  const PickleValue* function = pop();
  if (function->kind != PickleKind::kGlobal || arguments->kind != PickleKind::kTuple)
    fail("a call of something that is no function, or without arguments");
  const std::string& name = function->text;
  if (std::find(kDescribing.begin(), kDescribing.end(), name) == kDescribing.end()) {
    fail(
        fmt::format("it asks for a call of {}, which no file of weights needs: the file is refused, nothing of it was "
                    "executed. If it comes from a trusted source, save the state dict alone, or as safetensors",
                    common::valid_utf8(name)));
  }
  PickleValue& made = make(is_dictionary(name) ? PickleKind::kDict : PickleKind::kCall);
  if (made.kind == PickleKind::kCall) {
    set_name(made, name);
    made.items = arguments->items;
    num_items_ += made.items.size();
    if (num_items_ > kMaxItems) fail(fmt::format("more than {} items in its calls", kMaxItems));
  }
  push(&made);
}

void PickleMachine::new_object(bool with_keywords) {
  if (with_keywords) (void)pop();
  (void)pop();
  const PickleValue* type = pop();
  if (type->kind != PickleKind::kGlobal) fail("an instance of something that is no class");
  PickleValue& made = make(is_dictionary(type->text) ? PickleKind::kDict : PickleKind::kOpaque);
  set_name(made, type->text);
  push(&made);
}

/// State of an instance: attributes, which are not looked at.
void PickleMachine::build() {
  (void)pop();
  const PickleValue* object = pop();
  if (object->kind != PickleKind::kDict && object->kind != PickleKind::kCall && object->kind != PickleKind::kOpaque)
    fail("a state for something that is no instance");
  push(object);
}

void PickleMachine::remember(std::uint64_t key) {
  const PickleValue* value = pop();
  push(value);
  if (memo_.size() >= kMaxValues) fail(fmt::format("more than {} remembered values", kMaxValues));
  memo_[key] = value;
}

void PickleMachine::recall(std::uint64_t key) {
  const auto found = memo_.find(key);
  if (found == memo_.end()) fail(fmt::format("value {} was never remembered", key));
  push(found->second);
}

}  // namespace ditscale::worker
