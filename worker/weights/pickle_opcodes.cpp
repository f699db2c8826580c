#include <bit>
#include <utility>

#include "common/error.hpp"
#include "worker/weights/pickle_machine.hpp"

// Opcodes are stored: their numbers are those of Python's pickletools.

namespace ditscale::worker {

namespace {
constexpr std::size_t kMaxMarks = 10'000;
}

const PickleValue* PickleMachine::run() {
  if (bytes_.size() < 2 || bytes_[0] != '\x80') fail("no pickle of protocol 2 or newer");
  for (;;) {
    const auto opcode = number<unsigned char>();
    if (opcode == '.') break;
    const bool known = run_scalar(opcode) || run_text(opcode) || run_tuple(opcode) || run_collection(opcode) ||
                       run_memo(opcode) || run_object(opcode);
    if (!known) fail(fmt::format("opcode {:#04x} is not read here", opcode));
  }
  if (!marks_.empty() || stack_.size() != 1) fail("it ends with other than one value");
  return stack_.back();
}

bool PickleMachine::run_scalar(unsigned char opcode) {
  switch (opcode) {
    case 0x80:  // PROTO
      if (const auto protocol = number<std::uint8_t>(); protocol < 2 || protocol > 5)
        fail(fmt::format("protocol {} is not read; allowed: 2 to 5", protocol));
      return true;
    case 0x95:  // FRAME
      if (number<std::uint64_t>() > bytes_.size() - at_) fail("a frame that ends outside the pickle");
      return true;
    case 'N':
      push(none_);
      return true;
    case 0x88:
      push(true_);
      return true;
    case 0x89:
      push(false_);
      return true;
    case 'J':
      push_integer(number<std::int32_t>());
      return true;
    case 'K':
      push_integer(number<std::uint8_t>());
      return true;
    case 'M':
      push_integer(number<std::uint16_t>());
      return true;
    case 0x8a:  // LONG1
      push_long(number<std::uint8_t>());
      return true;
    case 0x8b:  // LONG4
      push_long(number<std::uint32_t>());
      return true;
    case 'G': {  // the only number that is big-endian
      PickleValue& made = make(PickleKind::kFloat);
      made.real = std::bit_cast<double>(__builtin_bswap64(number<std::uint64_t>()));
      push(&made);
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::run_text(unsigned char opcode) {
  switch (opcode) {
    case 'U':   // SHORT_BINSTRING
    case 'C':   // SHORT_BINBYTES
    case 0x8c:  // SHORT_BINUNICODE
      push_text(text(number<std::uint8_t>()));
      return true;
    case 'T':  // BINSTRING
    case 'B':  // BINBYTES
    case 'X':  // BINUNICODE
      push_text(text(number<std::uint32_t>()));
      return true;
    case 0x8d:  // BINUNICODE8
    case 0x8e:  // BINBYTES8
    case 0x96:  // BYTEARRAY8
      push_text(text(number<std::uint64_t>()));
      return true;
    default:
      return false;
  }
}

bool PickleMachine::run_tuple(unsigned char opcode) {
  switch (opcode) {
    case '(':
      if (marks_.size() >= kMaxMarks) fail(fmt::format("nested deeper than {} levels", kMaxMarks));
      marks_.push_back(stack_.size());
      return true;
    case ')':
      push(empty_tuple_);
      return true;
    case 't':
      push_tuple(pop_to_mark());
      return true;
    case 0x85:
    case 0x86:
    case 0x87: {  // TUPLE1 to TUPLE3
      Values items(opcode - 0x84U);
      for (auto item = items.rbegin(); item != items.rend(); ++item) *item = pop();
      push_tuple(std::move(items));
      return true;
    }
    case '0':
      (void)pop();
      return true;
    case '1':
      (void)pop_to_mark();
      return true;
    case '2': {
      const PickleValue* top = pop();
      push(top);
      push(top);
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::run_collection(unsigned char opcode) {
  const auto push_with = [&](PickleKind kind, const Values& items) {
    push(&make(kind));
    extend_top(kind, items);
  };
  switch (opcode) {
    case ']':
    case 0x8f:  // EMPTY_SET
      push(&make(PickleKind::kList));
      return true;
    case '}':
      push(&make(PickleKind::kDict));
      return true;
    case 'l':
    case 0x91:  // FROZENSET
      push_with(PickleKind::kList, pop_to_mark());
      return true;
    case 'd':
      push_with(PickleKind::kDict, pop_to_mark());
      return true;
    case 'a': {
      const PickleValue* item = pop();
      extend_top(PickleKind::kList, {item});
      return true;
    }
    case 'e':
    case 0x90:  // ADDITEMS
      extend_top(PickleKind::kList, pop_to_mark());
      return true;
    case 's': {
      const PickleValue* value = pop();
      const PickleValue* key = pop();
      extend_top(PickleKind::kDict, {key, value});
      return true;
    }
    case 'u':
      extend_top(PickleKind::kDict, pop_to_mark());
      return true;
    default:
      return false;
  }
}

bool PickleMachine::run_memo(unsigned char opcode) {
  switch (opcode) {
    case 'q':
      remember(number<std::uint8_t>());
      return true;
    case 'r':
      remember(number<std::uint32_t>());
      return true;
    case 0x94:  // MEMOIZE
      remember(memo_.size());
      return true;
    case 'h':
      recall(number<std::uint8_t>());
      return true;
    case 'j':
      recall(number<std::uint32_t>());
      return true;
    default:
      return false;
  }
}

bool PickleMachine::run_object(unsigned char opcode) {
  switch (opcode) {
    case 'c': {
      const std::string_view module = line();
      push_global(module, line());
      return true;
    }
    case 0x93: {  // STACK_GLOBAL
      const PickleValue* name = pop();
      const PickleValue* module = pop();
      if (name->kind != PickleKind::kText || module->kind != PickleKind::kText) fail("a name that is no text");
      push_global(module->text, name->text);
      return true;
    }
    case 'R':
      call();
      return true;
    case 0x81:  // NEWOBJ
    case 0x92:  // NEWOBJ_EX
      new_object(opcode == 0x92);
      return true;
    case 'b':
      build();
      return true;
    case 'Q': {
      const PickleValue* id = pop();
      PickleValue& made = make(PickleKind::kPersistent);
      made.items = {id};
      push(&made);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace ditscale::worker
