#include "worker/weights/pt_file.hpp"

#include <filesystem>

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/handmade_pickle.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace pickled;

std::string six_floats() {
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

class PtFiles : public InScratchFolder {
 protected:
  std::filesystem::path write(const std::string& pickle_body, std::vector<HandmadeEntry> more = {}) const {
    std::vector<HandmadeEntry> entries{stored("archive/data.pkl", kStart + pickle_body + "."),
                                       stored("archive/byteorder", "little"), stored("archive/data/0", six_floats()),
                                       stored("archive/version", "3\n")};
    for (HandmadeEntry& entry : more) entries.push_back(std::move(entry));
    put(at("a.pt"), handmade_zip(entries));
    return at("a.pt");
  }
  std::string refusal(const std::string& pickle_body, const std::string& key = "") const {
    return message_of<CorruptData>([&] { PtFile file(write(pickle_body), key); });
  }
  std::string tensor_refusal(const TensorFields& fields) const { return refusal(dict({text("w"), tensor(fields)})); }
};

// torch.save of PyTorch 2.11: OrderedDict(weight = arange(6.) as (2, 3), bias = [0.5, -1] in float16).
TEST(PtFileOfPyTorch, GivesItsTensors) {
  PtFile file(std::filesystem::path(DITSCALE_SOURCE_DIR) / "tests/golden/written_by_pytorch.pt", "");
  EXPECT_THAT(file.names(), testing::UnorderedElementsAre("weight", "bias"));
  EXPECT_TRUE(torch::equal(file.read("weight"), torch::arange(6.0F).view({2, 3})));
  EXPECT_TRUE(torch::equal(file.read("bias").to(torch::kFloat32), torch::tensor({0.5F, -1.0F})));
}

TEST_F(PtFiles, GiveBackTensorsOfAStateDict) {
  PtFile file(
      write(ordered_dict({text("w"), tensor({}), text("b"), tensor({.offset = 2, .shape = {2}, .strides = {2}})})), "");
  EXPECT_THAT(file.names(), ElementsAre("w", "b"));
  EXPECT_TRUE(file.read("w").equal(torch::tensor({{1.F, 2.F, 3.F}, {4.F, 5.F, 6.F}})));
  EXPECT_TRUE(file.read("b").equal(torch::tensor({3.F, 5.F})));
}

TEST_F(PtFiles, GiveBackTransposedScalarAndEmptyTensors) {
  PtFile file(write(dict({text("t"), tensor({.shape = {3, 2}, .strides = {1, 3}}), text("s"),
                          tensor({.offset = 5, .shape = {}, .strides = {}}), text("e"),
                          tensor({.offset = 6, .shape = {0, 3}, .strides = {3, 1}})})),
              "");
  EXPECT_TRUE(file.read("t").equal(torch::tensor({{1.F, 4.F}, {2.F, 5.F}, {3.F, 6.F}})));
  EXPECT_EQ(file.read("s").item<float>(), 6);
  EXPECT_EQ(file.read("e").numel(), 0);
}

TEST_F(PtFiles, TakeTheAverageOutOfATrainingCheckpoint) {
  const std::string args = global("argparse", "Namespace") + ")\x81" + dict({text("lr"), whole(1)}) + "b";
  const std::string state = ordered_dict({text("w"), tensor({})});
  const auto file = write(dict({text("model"), ordered_dict({text("m"), tensor({})}), text("ema"), state, text("opt"),
                                dict({text("state"), dict({})}), text("args"), args}));
  EXPECT_EQ(PtFile(file, "").key(), "ema");
  EXPECT_THAT(PtFile(file, "").names(), ElementsAre("w"));
  EXPECT_THAT(PtFile(file, "model").names(), ElementsAre("m"));
  EXPECT_THAT(message_of<common::UsageError>([&] { PtFile(file, "other"); }),
              AllOf(HasSubstr("--key other"), HasSubstr("model, ema, opt, args")));
  EXPECT_THAT(message_of<common::UsageError>([&] { PtFile(file, "opt/state"); }),
              HasSubstr("no dictionary of tensors"));
}

TEST_F(PtFiles, UnwrapParametersAndFollowPaths) {
  const std::string parameter =
      call(global("torch._utils", "_rebuild_parameter"), {tensor({}), "\x88", ordered_dict({})});
  const auto file = write(dict({text("trainer"), dict({text("net"), dict({text("w"), parameter})})}));
  EXPECT_THAT(PtFile(file, "trainer/net").names(), ElementsAre("w"));
  EXPECT_THAT(message_of<CorruptData>([&] { PtFile(file, ""); }), AllOf(HasSubstr("--key"), HasSubstr("trainer")));
}

TEST_F(PtFiles, ThatWouldCallSomethingAreRefusedAndCallNothing) {
  const std::filesystem::path witness = at("executed");
  const std::string attack = call(global("os", "system"), {text("touch " + witness.string())});
  EXPECT_THAT(refusal(dict({text("w"), tensor({}), text("x"), attack})), HasSubstr("os.system"));
  EXPECT_FALSE(std::filesystem::exists(witness));
}

TEST_F(PtFiles, WhoseTensorsReachOutsideTheirStorageAreRefused) {
  EXPECT_THAT(tensor_refusal({.offset = 1}), HasSubstr("outside"));
  EXPECT_THAT(tensor_refusal({.offset = -1}), HasSubstr("outside"));
  EXPECT_THAT(tensor_refusal({.shape = {7}, .strides = {1}}), HasSubstr("outside"));
  EXPECT_THAT(tensor_refusal({.shape = {2, 3}, .strides = {4, 1}}), HasSubstr("outside"));
  EXPECT_THAT(tensor_refusal({.shape = {2}, .strides = {-1}}), HasSubstr("no sizes"));
  EXPECT_THAT(tensor_refusal({.shape = {-2}, .strides = {1}}), HasSubstr("no sizes"));
  EXPECT_THAT(tensor_refusal({.shape = {2, 3}, .strides = {1}}), HasSubstr("2 sizes and 1 strides"));
  EXPECT_THAT(tensor_refusal({.offset = 7, .shape = {0}, .strides = {1}}), HasSubstr("outside"));
}

TEST_F(PtFiles, WhoseTensorsWouldGrowWhenReadAreRefused) {
  EXPECT_THAT(tensor_refusal({.shape = {2147483647, 2147483647}, .strides = {0, 0}}), HasSubstr("share memory"));
  EXPECT_THAT(tensor_refusal({.shape = {2147483647, 2147483647, 2147483647}, .strides = {0, 0, 0}}),
              HasSubstr("outside"));
}

TEST_F(PtFiles, WhoseStorageIsNotWhatThePickleSaysAreRefused) {
  EXPECT_THAT(tensor_refusal({.num_elements = 7}), HasSubstr("7 elements"));
  EXPECT_THAT(tensor_refusal({.num_elements = 2147483647}), HasSubstr("2147483647 elements"));
  EXPECT_THAT(tensor_refusal({.storage_type = "DoubleStorage"}), HasSubstr("8 bytes"));
  EXPECT_THAT(tensor_refusal({.storage_type = "QInt8Storage"}), HasSubstr("torch.QInt8Storage"));
  EXPECT_THAT(tensor_refusal({.key = "1"}), HasSubstr("missing"));
  EXPECT_THAT(tensor_refusal({.key = "../../../etc/passwd"}), HasSubstr("missing"));
  EXPECT_THAT(tensor_refusal({.key = "/etc/passwd"}), HasSubstr("missing"));
}

TEST_F(PtFiles, ThatAreNoStateDictAreRefused) {
  EXPECT_THAT(refusal(whole(5)), HasSubstr("no dictionary"));
  EXPECT_THAT(refusal(dict({})), HasSubstr("no state dict"));
  EXPECT_THAT(refusal(dict({text("w"), tensor({}), text("step"), whole(5)})), HasSubstr("step is no tensor"));
  EXPECT_THAT(refusal(dict({whole(1), tensor({})})), HasSubstr("no text"));
  EXPECT_THAT(refusal(dict({text("w"), tensor({}), text("w"), tensor({})})), HasSubstr("twice"));
  put(at("b.pt"), handmade_zip({stored("word/document.xml", "x")}));
  EXPECT_THAT(message_of<CorruptData>([&] { PtFile(at("b.pt"), ""); }), HasSubstr("no data.pkl"));
}

TEST_F(PtFiles, WithAWrongChecksumOrByteOrderAreRefused) {
  HandmadeEntry bad = stored("archive/data/1", six_floats());
  bad.crc ^= 1;
  PtFile file(write(dict({text("w"), tensor({.key = "1"})}), {bad}), "");
  EXPECT_THAT(message_of<CorruptData>([&] { (void)file.read("w"); }), HasSubstr("checksum"));
  put(at("big.pt"), handmade_zip({stored("a/data.pkl", kStart + "}."), stored("a/byteorder", "big")}));
  EXPECT_THAT(message_of<CorruptData>([&] { PtFile(at("big.pt"), ""); }), HasSubstr("big-endian"));
}

TEST_F(PtFiles, WhoseStorageIsPackedAreRefused) {
  const auto file = write(dict({text("w"), tensor({.key = "1"})}), {deflated("archive/data/1", six_floats())});
  EXPECT_THAT(message_of<CorruptData>([&] { PtFile(file, ""); }), HasSubstr("its storage is packed"));
}

TEST_F(PtFiles, WhosePickleIsABombAreRefused) {
  put(at("bomb.pt"), handmade_zip({deflated("a/data.pkl", std::string(40'000'000, '('))}));
  EXPECT_THAT(message_of<CorruptData>([&] { PtFile(at("bomb.pt"), ""); }), HasSubstr("at most"));
}

}  // namespace
}  // namespace ditscale::worker
