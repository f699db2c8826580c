#include "worker/weights/pickle.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/handmade_pickle.hpp"
#include "tests/unit/worker/scratch_folder.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using testing::AllOf;
using testing::HasSubstr;
using namespace pickled;

Pickle parse(const std::string& body) { return Pickle::parse(kStart + body + ".", "test.pt"); }
std::string refusal(const std::string& body) {
  return message_of<CorruptData>([&] { (void)parse(body); });
}

TEST(PickleMachine, ReadsNumbersAndTexts) {
  const std::string real("G\x3f\xf8\x00\x00\x00\x00\x00\x00", 9);
  const Pickle pickle = parse(tuple({"K\x07", std::string("M\x01\x02", 3), whole(-5),
                                     std::string("\x8a\x02\x00\xff", 4), std::string("\x8a\x00", 2), "\x88", kNone,
                                     real, text("name"), "U\x02hi", std::string("\x8c\x03") + "abc"}));
  const auto& items = pickle.root().items;
  ASSERT_EQ(items.size(), 11U);
  EXPECT_EQ(items[0]->integer, 7);
  EXPECT_EQ(items[1]->integer, 513);
  EXPECT_EQ(items[2]->integer, -5);
  EXPECT_EQ(items[5]->integer, 1);
  EXPECT_EQ(items[6]->kind, PickleKind::kNone);
  EXPECT_EQ(items[7]->real, 1.5);
  EXPECT_EQ(items[8]->text, "name");
  EXPECT_EQ(items[9]->text, "hi");
  EXPECT_EQ(items[10]->text, "abc");
}

TEST(PickleMachine, ReadsLongNumbersAsTwosComplement) {
  const std::string minus_256("\x8a\x02\x00\xff", 4), nothing("\x8a\x00", 2);
  EXPECT_EQ(parse(minus_256).root().integer, -256);
  EXPECT_EQ(parse(nothing).root().integer, 0);
  EXPECT_THAT(refusal(std::string("\x8a\x09", 2) + std::string(9, 'x')), HasSubstr("64 bits"));
}

TEST(PickleMachine, TakesOrderedAndPlainDictionariesAlike) {
  for (const std::string& made : {dict({text("a"), whole(1), text("b"), whole(2), text("a"), whole(3)}),
                                  ordered_dict({text("a"), whole(1), text("b"), whole(2), text("a"), whole(3)})}) {
    const Pickle pickle = parse(made);
    ASSERT_EQ(pickle.root().kind, PickleKind::kDict);
    EXPECT_EQ(pickle.root().find("a")->integer, 3);
    EXPECT_EQ(pickle.root().find("c"), nullptr);
  }
}

TEST(PickleMachine, NeverMakesInstancesButKeepsTheirPlace) {
  const std::string instance = global("argparse", "Namespace") + ")\x81" + dict({text("lr"), whole(1)}) + "b";
  const Pickle pickle = parse(dict({text("args"), instance, text("x"), whole(2)}));
  EXPECT_EQ(pickle.root().find("args")->kind, PickleKind::kOpaque);
  EXPECT_EQ(pickle.root().find("args")->text, "argparse.Namespace");
  EXPECT_EQ(pickle.root().find("x")->integer, 2);
}

TEST(PickleMachine, KnowsDescriptionsByTheirNamesInOldProtocols) {
  const Pickle pickle = parse(dict({text("tags"), call(global("__builtin__", "set"), {"]"})}));
  EXPECT_EQ(pickle.root().find("tags")->kind, PickleKind::kCall);
  EXPECT_EQ(pickle.root().find("tags")->text, "builtins.set");
}

TEST(PickleMachine, RefusesCallsOfAnythingButDescriptions) {
  const auto attack = [](const std::string& module, const std::string& name) {
    return refusal(dict({text("w"), call(global(module, name), {text("touch /tmp/executed")})}));
  };
  EXPECT_THAT(attack("os", "system"), AllOf(HasSubstr("os.system"), HasSubstr("nothing of it was executed")));
  EXPECT_THAT(attack("posix", "system"), HasSubstr("posix.system"));
  EXPECT_THAT(attack("builtins", "eval"), HasSubstr("builtins.eval"));
  EXPECT_THAT(attack("builtins", "getattr"), HasSubstr("builtins.getattr"));
  EXPECT_THAT(attack("torch._utils", "_rebuild_tensor_v3"), HasSubstr("_rebuild_tensor_v3"));
  const std::string stacked = text("os") + text("system") + "\x93" + tuple({text("true")}) + "R";
  EXPECT_THAT(refusal(stacked), HasSubstr("os.system"));
}

TEST(PickleMachine, RefusesOpcodesThatOnlyOldOrHostilePicklesUse) {
  for (const std::string body : {"cos\nsystem\n(S'true'\nR", "(S'true'\nios\nsystem\n", "(cos\nsystem\nX\x01", "P1\n",
                                 "\x82\x01", "\x97", "I5\n", "p0\n"}) {
    EXPECT_NE(refusal(body), "") << body;
  }
  EXPECT_THAT(message_of<CorruptData>([] { (void)Pickle::parse("(lp0\n.", "old"); }), HasSubstr("protocol 2"));
  EXPECT_THAT(message_of<CorruptData>([] { (void)Pickle::parse("\x80\x06N.", "new"); }), HasSubstr("protocol 6"));
}

TEST(PickleMachine, CutAnywhereIsRefused) {
  const std::string good = kStart + dict({text("w"), tensor({}), text("v"), ordered_dict({text("k"), kNone})}) + ".";
  EXPECT_EQ(Pickle::parse(good, "x").root().kind, PickleKind::kDict);
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_NE(message_of<CorruptData>([&] { (void)Pickle::parse(good.substr(0, length), "x"); }), "") << length;
  }
}

TEST(PickleMachine, WithAnyByteChangedNeverCrashes) {
  const std::string good = kStart + dict({text("w"), tensor({}), text("v"), ordered_dict({text("k"), kNone})}) + ".";
  int refused = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int change = 1; change < 256; ++change) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ change);
      try {
        (void)Pickle::parse(bad, "x");
      } catch (const CorruptData&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(PickleMachine, RefusesAnEmptyStackOrMisplacedItems) {
  for (const std::string body : {"",
                                 "0",
                                 "1",
                                 "t",
                                 "\x85",
                                 "R",
                                 "b",
                                 "Q",
                                 "a",
                                 "s",
                                 "(u",
                                 "2",
                                 "NN",
                                 "(N",
                                 "h\x05",
                                 "q\x01",
                                 "N(NNu",
                                 "](Ne(",
                                 "}(NNNu",
                                 "}Na",
                                 "]NNs",
                                 "NNR",
                                 "\x95\xff\xff\xff\xff\xff\xff\xff\xff",
                                 "X\xff\xff\xff\xffzz",
                                 "\x8d\xff\xff\xff\xff\xff\xff\xff\xffzz"}) {
    EXPECT_NE(refusal(body), "") << testing::PrintToString(body);
  }
}

TEST(PickleMachine, BoundsNestingStackAndValues) {
  EXPECT_THAT(refusal(std::string(20'000, '(')), HasSubstr("nested deeper"));
  EXPECT_THAT(refusal(std::string(2'000'000, 'N')), HasSubstr("on the stack"));
  std::string values;
  for (int i = 0; i < 4'100'000; ++i) values += "]0";
  EXPECT_THAT(refusal(values), HasSubstr("values"));
}

TEST(PickleMachine, BoundsNamesThatAreRecalledAgainAndAgain) {
  const std::string parts = text(std::string(500, 'm')) + "q\x01" + "0" + text(std::string(400, 'n')) + "q\x02" + "0";
  std::string globals, instances = global("m", std::string(900, 'n')) + "q\x03" + "0";
  for (int i = 0; i < 80'000; ++i) {
    globals +=
        "h\x01h\x02\x93"
        "0";
    instances +=
        "h\x03)\x81"
        "0";
  }
  EXPECT_THAT(refusal(parts + globals + "N"), HasSubstr("64 MiB of names"));
  EXPECT_THAT(refusal(instances + "N"), HasSubstr("64 MiB of names"));
}

TEST(PickleMachine, SurvivesValuesThatShareOrContainEachOther) {
  // Each list holds the one before ten times: 10^50 items for whoever copies, a few hundred pointers here.
  std::string shared =
      "]q\x01"
      "0";
  for (int i = 0; i < 50; ++i) {
    shared += "](";
    for (int k = 0; k < 10; ++k) shared += "h\x01";
    shared +=
        "eq\x01"
        "0";
  }
  EXPECT_EQ(parse(shared + "h\x01").root().items.size(), 10U);
  EXPECT_EQ(parse("]q\x01h\x01"
                  "a")
                .root()
                .items.size(),
            1U);
  // Deep without recursion: a destructor or walker that recursed would end the process.
  std::string deep = "]";
  for (int i = 0; i < 300'000; ++i) deep += "\x85";
  EXPECT_EQ(parse(deep).root().items.size(), 1U);
}

TEST(PickleMachine, BoundsWhatDoublingBuilds) {
  // A list of 10,000 that is copied into others again and again by its marks.
  std::string many =
      "]q\x01"
      "0(";
  for (int i = 0; i < 10'000; ++i) many += "h\x01";
  many +=
      "tq\x02"
      "0";
  std::string calls;
  for (int i = 0; i < 1000; ++i)
    calls += global("torch", "Size") +
             "h\x02"
             "R0";
  EXPECT_THAT(refusal(many + calls + "N"), HasSubstr("items"));
}

}  // namespace
}  // namespace ditscale::worker
