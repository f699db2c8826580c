#include "worker/weights/safetensors.hpp"

#include <limits>

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// The bytes of a file with this header and `num_data_bytes` bytes of data.
std::string file_bytes(const std::string& header, std::size_t num_data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  return bytes + header + std::string(num_data_bytes, '\x01');
}

class Safetensors : public InScratchFolder {
 protected:
  /// Why a file of these bytes is refused.
  std::string refusal(const std::string& bytes) const {
    put(at("bad.safetensors"), bytes);
    return message_of<CorruptData>([&] { (void)SafetensorsFile::open(at("bad.safetensors")); });
  }
  std::string refusal(const std::string& header, std::size_t num_data_bytes) const {
    return refusal(file_bytes(header, num_data_bytes));
  }
};

TEST_F(Safetensors, GiveBackEveryTypeBitByBit) {
  const NamedTensors tensors{
      {"w", torch::randn({3, 4})},
      {"half", torch::randn({5}).to(at::kHalf)},
      {"brain", torch::randn({2, 2}).to(at::kBFloat16)},
      {"double", torch::tensor({std::numeric_limits<double>::quiet_NaN(), -0.0, 1e300}, at::kDouble)},
      {"long", torch::tensor({-7, 1 << 30}, at::kLong)},
      {"int", torch::tensor({-7}, at::kInt)},
      {"short", torch::tensor({-7}, at::kShort)},
      {"char", torch::tensor({-7}, at::kChar)},
      {"byte", torch::tensor({255}, at::kByte)},
      {"bool", torch::tensor({1, 0, 1}, at::kByte).to(at::kBool)},
      {"empty", torch::empty({0, 3})},
      {"scalar", torch::tensor(2.5F)},
      {"view", torch::arange(12, at::kFloat).view({3, 4}).t()},
  };
  write_safetensors(at("a.safetensors"), tensors, {{"format", "pt"}});
  const SafetensorsFile file = SafetensorsFile::open(at("a.safetensors"));
  EXPECT_EQ(file.metadata(), (TextMap{{"format", "pt"}}));
  EXPECT_EQ(file.names().size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor read = file.read(name);
    ASSERT_EQ(read.scalar_type(), tensor.scalar_type()) << name;
    ASSERT_EQ(read.sizes(), tensor.sizes()) << name;
    const torch::Tensor expected = tensor.contiguous();
    EXPECT_EQ(std::memcmp(read.data_ptr(), expected.data_ptr(), expected.nbytes()), 0) << name;
  }
}

TEST_F(Safetensors, AreTheSameBytesForTheSameContent) {
  const NamedTensors tensors{{"b", torch::ones({2})}, {"a", torch::zeros({3})}};
  write_safetensors(at("1"), tensors, {{"x", "y"}, {"format", "pt"}});
  write_safetensors(at("2"), tensors, {{"format", "pt"}, {"x", "y"}});
  EXPECT_EQ(bytes_of(at("1")), bytes_of(at("2")));
  EXPECT_THAT(SafetensorsFile::open(at("1")).names(), ElementsAre("b", "a"));
}

TEST_F(Safetensors, ReadAHeaderWrittenByHandAsTheFormatSays) {
  put(at("hand"), file_bytes(R"({"x":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},)"
                             R"("y":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}   )",
                             3));
  const SafetensorsFile file = SafetensorsFile::open(at("hand"));
  EXPECT_THAT(file.names(), ElementsAre("y", "x"));
  EXPECT_TRUE(file.read("x").equal(torch::tensor({1, 1}, at::kByte)));
  EXPECT_TRUE(file.read("y").item<bool>());
  EXPECT_THAT(message_of<CorruptData>([&] { (void)file.read("z"); }), HasSubstr("no tensor z"));
}

TEST_F(Safetensors, CutAnywhereAreRefused) {
  write_safetensors(at("a"), {{"w", torch::ones({4, 4})}, {"b", torch::ones({4})}});
  const std::string good = bytes_of(at("a"));
  for (std::size_t length = 0; length < good.size(); ++length) EXPECT_NE(refusal(good.substr(0, length)), "") << length;
  EXPECT_THAT(refusal(good + "x"), HasSubstr("too many"));
}

TEST_F(Safetensors, ClaimingMoreThanTheFileHoldsAreRefused) {
  EXPECT_THAT(refusal(std::string(8, '\xff') + "{}"), HasSubstr("header would have"));
  EXPECT_THAT(refusal(R"({"w":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}})", 4),
              HasSubstr("cut short"));
  EXPECT_THAT(refusal(R"({"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0),
              HasSubstr("impossible shape"));
  EXPECT_THAT(refusal(R"({"w":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}})", 0),
              HasSubstr("impossible shape"));
  EXPECT_THAT(
      refusal(R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551614,18446744073709551615]}})", 1),
      HasSubstr("outside"));
}

TEST_F(Safetensors, WithTensorsThatDoNotFitTogetherAreRefused) {
  const std::string first = R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)";
  EXPECT_THAT(refusal(first + R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", 3), HasSubstr("overlap"));
  EXPECT_THAT(refusal(first + R"("b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}})", 5), HasSubstr("gap"));
  EXPECT_THAT(refusal(first + R"("b":{"dtype":"U8","shape":[2],"data_offsets":[2,5]}})", 5), HasSubstr("do not hold"));
  EXPECT_THAT(refusal(first + R"("b":{"dtype":"U8","shape":[2],"data_offsets":[4,2]}})", 4), HasSubstr("do not hold"));
  EXPECT_THAT(refusal(first + R"("a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})", 4), HasSubstr("twice"));
}

TEST_F(Safetensors, WithAHeaderOfAnotherShapeAreRefused) {
  EXPECT_THAT(refusal("[1, 2]", 0), HasSubstr("no object"));
  EXPECT_THAT(refusal("{\"a\": ", 0), HasSubstr("no safetensors file"));
  EXPECT_THAT(refusal(std::string("{\"\xff\": 1}"), 0), HasSubstr("no safetensors file"));
  EXPECT_THAT(refusal(R"({"a": 5})", 0), HasSubstr("missing"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[1]}})", 1), HasSubstr("data_offsets"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}})", 1),
              AllOf(HasSubstr("F4"), HasSubstr("BF16")));
  EXPECT_THAT(refusal(R"({"a":{"dtype":7,"shape":[1],"data_offsets":[0,1]}})", 1), HasSubstr("type 7"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}})", 1), HasSubstr("list"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1), HasSubstr("whole number"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}})", 1), HasSubstr("whole number"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1), HasSubstr("two numbers"));
  EXPECT_THAT(refusal(R"({"__metadata__": {"a": 1}})", 0), HasSubstr("no text"));
  EXPECT_THAT(refusal("{\"a\":" + std::string(100000, '['), 0), HasSubstr("deeper"));
}

TEST_F(Safetensors, ThatAreNoFileAreASystemError) {
  EXPECT_THAT(message_of<common::SystemError>([&] { (void)SafetensorsFile::open(at("none")); }), HasSubstr("none"));
  EXPECT_THAT(message_of<common::SystemError>([&] { (void)SafetensorsFile::open(folder_); }),
              HasSubstr("no ordinary file"));
}

TEST_F(Safetensors, ThatCannotBeWrittenLeaveNothingBehind) {
  EXPECT_THROW(write_safetensors(at("missing/folder/file"), {{"a", torch::ones({1})}}), common::SystemError);
  EXPECT_THROW(write_safetensors(at("twice"), {{"a", torch::ones({1})}, {"a", torch::ones({1})}}),
               common::InternalError);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace ditscale::worker
