#include "worker/weights/legacy_pt_file.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/handmade_pickle.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using testing::HasSubstr;
using namespace pickled;

/// Files as torch.save wrote them before 1.6, put together by hand; the peers test reads one written by PyTorch.
class LegacyPtFiles : public InScratchFolder {
 protected:
  static std::string tensor_of(const std::string& key, std::int32_t elements, const std::vector<std::int32_t>& shape,
                               const std::vector<std::int32_t>& strides, std::int32_t offset = 0) {
    const std::string id =
        tuple({text("storage"), global("torch", "FloatStorage"), text(key), text("cpu"), whole(elements), kNone}) + "Q";
    return call(global("torch._utils", "_rebuild_tensor_v2"),
                {id, whole(offset), whole_tuple(shape), whole_tuple(strides), kFalse, ordered_dict({})});
  }
  static std::string storage(const std::vector<float>& values) {
    std::string out;
    append(out, static_cast<std::int64_t>(values.size()));
    return out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  }
  [[nodiscard]] std::filesystem::path write(const std::string& tensors, const std::vector<std::string>& keys,
                                            const std::string& storages) const {
    std::string list = "](";
    for (const std::string& key : keys) list += text(key);
    put(at("a.pth"), std::string(kLegacyPtStart) + kStart + dict({text("little_endian"), "\x88"}) + "." + kStart +
                         tensors + "." + kStart + list + "e." + storages);
    return at("a.pth");
  }
  [[nodiscard]] std::string refusal(const std::string& tensors, const std::vector<std::string>& keys,
                                    const std::string& storages) const {
    return message_of<CorruptData>([&] { LegacyPtFile file(write(tensors, keys, storages)); });
  }
};

TEST_F(LegacyPtFiles, GiveBackTensorsWhateverTheOrderOfTheStorages) {
  const std::string tensors =
      ordered_dict({text("w"), tensor_of("7", 6, {2, 3}, {3, 1}), text("b"), tensor_of("5", 3, {2}, {1}, 1)});
  const auto source =
      open_tensor_source(write(tensors, {"5", "7"}, storage({7, 8, 9}) + storage({1, 2, 3, 4, 5, 6})), "");
  EXPECT_THAT(source->names(), testing::ElementsAre("w", "b"));
  EXPECT_TRUE(source->read("w").equal(torch::tensor({{1.F, 2.F, 3.F}, {4.F, 5.F, 6.F}})));
  EXPECT_TRUE(source->read("b").equal(torch::tensor({8.F, 9.F})));
}

TEST_F(LegacyPtFiles, WhosePicklesDoNotFitTheFileAreRefused) {
  const std::string good = dict({text("w"), tensor_of("0", 2, {2}, {1})});
  EXPECT_THAT(refusal(good, {"0"}, storage({1})), HasSubstr("has 1 elements, its tensors say 2"));
  EXPECT_THAT(refusal(good, {"0"}, storage({1, 2}).substr(0, 12)), HasSubstr("cut short"));
  EXPECT_THAT(refusal(good, {"0"}, storage({1, 2}) + "x"), HasSubstr("bytes follow"));
  EXPECT_THAT(refusal(good, {}, ""), HasSubstr("storage is missing"));
  EXPECT_THAT(refusal(good, {"1"}, storage({1, 2})), HasSubstr("no tensor has"));
  EXPECT_THAT(refusal(dict({text("w"), tensor_of("0", 2, {3}, {1})}), {"0"}, storage({1, 2})), HasSubstr("outside"));
  EXPECT_THAT(refusal(dict({text("w"), tensor_of("0", 2, {2}, {0})}), {"0"}, storage({1, 2})),
              HasSubstr("not contiguous"));
  const std::string huge = dict({text("w"), tensor_of("0", 2147483647, {2}, {1})});
  std::string claim;
  append(claim, std::int64_t{2147483647});
  EXPECT_THAT(refusal(huge, {"0"}, claim + "12345678"), HasSubstr("cut short"));
}

TEST_F(LegacyPtFiles, OfShapesThatNoNumberHoldsAreRefused) {
  const std::string huge("\x8a\x08\0\0\0\0\0\0\0\x40", 10);  // 2^62
  const std::string id =
      tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), whole(1), kNone}) + "Q";
  const std::string empty =
      call(global("torch._utils", "_rebuild_tensor_v2"),
           {id, whole(0), tuple({whole(0), huge, huge}), tuple({whole(0), huge, whole(1)}), kFalse, ordered_dict({})});
  EXPECT_THAT(refusal(dict({text("w"), empty}), {"0"}, storage({1})), HasSubstr("impossible shape"));
}

TEST_F(LegacyPtFiles, ThatWouldCallSomethingAreRefused) {
  const std::string attack = call(global("os", "system"), {text("true")});
  EXPECT_THAT(refusal(dict({text("w"), attack}), {}, ""), HasSubstr("os.system"));
}

}  // namespace
}  // namespace ditscale::worker
