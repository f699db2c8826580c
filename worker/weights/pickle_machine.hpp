#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "worker/weights/pickle.hpp"

namespace ditscale::worker {

/// The stack machine that a pickle is a program for (Python's pickletools describes each opcode), restricted to making
/// data. See Pickle.
class PickleMachine {
 public:
  /// Values are put into `values`, which must be empty and outlive the result.
  PickleMachine(std::deque<PickleValue>& values, std::string_view bytes, std::string label);
  [[nodiscard]] const PickleValue* run();
  /// Bytes up to and with the end of the pickle.
  [[nodiscard]] std::size_t num_read() const { return at_; }

 private:
  using Values = std::vector<const PickleValue*>;

  [[noreturn]] void fail(const std::string& reason) const;

  template <typename T>
  T number() {
    T value{};
    std::memcpy(&value, text(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string_view text(std::uint64_t count);
  std::string_view line();

  /// Each group of opcodes: false when the opcode is not its own.
  bool run_scalar(unsigned char opcode);
  bool run_text(unsigned char opcode);
  bool run_collection(unsigned char opcode);
  bool run_tuple(unsigned char opcode);
  bool run_memo(unsigned char opcode);
  bool run_object(unsigned char opcode);

  PickleValue& make(PickleKind kind);
  void push(const PickleValue* value);
  void push_integer(std::int64_t value);
  void push_text(std::string_view value);
  void push_tuple(Values items);
  const PickleValue* pop();
  Values pop_to_mark();
  /// Puts items into the list or dictionary on the stack's top; drops them where the top is an instance or a call.
  void extend_top(PickleKind kind, const Values& items);
  void push_long(std::uint64_t num_bytes);
  /// Of a class or function.
  void set_name(PickleValue& value, std::string_view name);
  void push_global(std::string_view module, std::string_view name);
  void call();
  void new_object(bool with_keywords);
  void build();
  void remember(std::uint64_t key);
  void recall(std::uint64_t key);

  std::deque<PickleValue>& values_;
  std::string_view bytes_;
  std::size_t at_ = 0;
  std::string label_;
  Values stack_;
  /// Heights of the stack at each open mark.
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, const PickleValue*> memo_;
  /// Items in all collections: a list may be built out of recalled values without making new ones.
  std::size_t num_items_ = 0;
  std::size_t name_bytes_ = 0;
  /// Shared by every occurrence, so that one-byte opcodes cost no memory.
  const PickleValue* none_;
  const PickleValue* true_;
  const PickleValue* false_;
  const PickleValue* empty_tuple_;
};

}  // namespace ditscale::worker
