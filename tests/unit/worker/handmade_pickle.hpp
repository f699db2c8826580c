#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/worker/handmade_zip.hpp"

// Puts pickles together opcode by opcode (Python's pickletools), as torch.save does and as an attacker would.

namespace ditscale::worker::pickled {

inline const std::string kStart("\x80\x02", 2);
inline const std::string kNone = "N";
inline const std::string kFalse = "\x89";
inline const std::string kMark = "(";
inline const std::string kReduce = "R";

inline std::string text(std::string_view value) {
  std::string out = "X";
  append(out, static_cast<std::uint32_t>(value.size()));
  return out.append(value);
}
inline std::string whole(std::int32_t value) {
  std::string out = "J";
  append(out, value);
  return out;
}
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::vector<std::string>& items) {
  std::string out = kMark;
  for (const std::string& item : items) out += item;
  return out + "t";
}
inline std::string call(const std::string& function, const std::vector<std::string>& arguments) {
  return function + tuple(arguments) + kReduce;
}
/// Keys and values in turn.
inline std::string dict(const std::vector<std::string>& items) {
  std::string out = "}" + kMark;
  for (const std::string& item : items) out += item;
  return out + "u";
}
inline std::string ordered_dict(const std::vector<std::string>& items) {
  std::string out = global("collections", "OrderedDict") + ")R" + kMark;
  for (const std::string& item : items) out += item;
  return out + "u";
}
inline std::string whole_tuple(const std::vector<std::int32_t>& values) {
  std::vector<std::string> items;
  for (const std::int32_t value : values) items.push_back(whole(value));
  return tuple(items);
}

struct TensorFields {
  std::string storage_type = "FloatStorage";
  std::string key = "0";
  std::int32_t num_elements = 6;
  std::int32_t offset = 0;
  std::vector<std::int32_t> shape{2, 3};
  std::vector<std::int32_t> strides{3, 1};
};
inline std::string tensor(const TensorFields& f) {
  const std::string id =
      tuple({text("storage"), global("torch", f.storage_type), text(f.key), text("cpu"), whole(f.num_elements)}) + "Q";
  return call(global("torch._utils", "_rebuild_tensor_v2"),
              {id, whole(f.offset), whole_tuple(f.shape), whole_tuple(f.strides), kFalse, ordered_dict({})});
}

}  // namespace ditscale::worker::pickled
