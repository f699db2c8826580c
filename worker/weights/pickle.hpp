#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace ditscale::worker {

/// What one value of a pickle is. Nothing is ever constructed or called: what Python would make by a call stays the
/// call's description.
enum class PickleKind {
  kNone,
  kBool,
  kInt,
  kFloat,
  /// `text`; bytes are kept as text too.
  kText,
  /// `items` in order. A set counts as a list.
  kTuple,
  kList,
  /// `items` are key, value, key, value …; OrderedDict and defaultdict are dictionaries too.
  kDict,
  /// `text` is the dotted name of a class or function.
  kGlobal,
  /// `text` names what Python would call, `items` are its arguments.
  kCall,
  /// `items[0]` is what stands outside of the pickle (for torch: the tuple that names a storage).
  kPersistent,
  /// An instance of the class `text` whose content is not looked at.
  kOpaque,
};

struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  /// Of kBool and kInt.
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<const PickleValue*> items;

  /// The value of a text key of a dictionary; null when there is none.
  [[nodiscard]] const PickleValue* find(std::string_view key) const;
};

/// A pickle's values. They may refer to each other in circles and share parts, so walk them with a bound on depth.
class Pickle {
 public:
  /// Reads protocols 2 to 5. REDUCE, which makes Python call a function, is understood for a closed list of functions
  /// that only describe data (torch's tensor rebuilders, OrderedDict, paths, numpy scalars …) and refuses the pickle
  /// for any other, naming it. Instances of unknown classes become kOpaque. Stack, memo and number of values are
  /// limited by the pickle's size and by constants. Throws CorruptData naming `label` and the byte.
  [[nodiscard]] static Pickle parse(std::string_view bytes, const std::string& label);
  /// The same for bytes that go on after the pickle; `used` becomes its length.
  [[nodiscard]] static Pickle parse_first(std::string_view bytes, const std::string& label, std::size_t& used);

  [[nodiscard]] const PickleValue& root() const { return *root_; }

 private:
  friend class PickleMachine;
  /// A deque: values never move.
  std::deque<PickleValue> values_;
  const PickleValue* root_ = nullptr;
};

}  // namespace ditscale::worker
