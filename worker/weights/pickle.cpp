#include "worker/weights/pickle.hpp"

#include "worker/weights/pickle_machine.hpp"

namespace ditscale::worker {

const PickleValue* PickleValue::find(std::string_view key) const {
  if (kind != PickleKind::kDict) return nullptr;
  // The last of equal keys counts, as in Python.
  for (std::size_t i = items.size(); i >= 2; i -= 2) {
    const PickleValue& name = *items[i - 2];
    if (name.kind == PickleKind::kText && name.text == key) return items[i - 1];
  }
  return nullptr;
}

Pickle Pickle::parse(std::string_view bytes, const std::string& label) {
  std::size_t used = 0;
  return parse_first(bytes, label, used);
}

Pickle Pickle::parse_first(std::string_view bytes, const std::string& label, std::size_t& used) {
  Pickle result;
  PickleMachine machine(result.values_, bytes, label);
  result.root_ = machine.run();
  used = machine.num_read();
  return result;
}

}  // namespace ditscale::worker
