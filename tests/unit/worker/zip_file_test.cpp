#include "worker/storage/zip_file.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/handmade_zip.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/storage/zip_writer.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kPlenty = 1 << 20;

class Zip : public InScratchFolder {
 protected:
  ZipFile open(const std::string& bytes) const {
    put(at("a.zip"), bytes);
    return ZipFile::open(at("a.zip"));
  }
  /// Why the archive, or its entry "x", is refused.
  std::string refusal(const std::string& bytes) const {
    return message_of<CorruptData>([&] { (void)open(bytes).read_text("x", kPlenty); });
  }
  std::string refusal(const HandmadeEntry& entry) const { return refusal(handmade_zip({entry})); }
};

TEST_F(Zip, GivesBackStoredAndDeflatedEntries) {
  const std::string text(100'000, 'a');
  const ZipFile zip =
      open(handmade_zip({stored("s", "hello"), deflated("folder/d", text), stored("empty", "")}, "end"));
  EXPECT_THAT(zip.names(), ElementsAre("s", "folder/d", "empty"));
  EXPECT_EQ(zip.read_text("s", 5), "hello");
  EXPECT_EQ(zip.read_text("folder/d", kPlenty), text);
  EXPECT_EQ(zip.read_text("empty", 0), "");
  EXPECT_THAT(message_of<CorruptData>([&] { (void)zip.read_text("s", 4); }), HasSubstr("at most 4"));
  EXPECT_THAT(message_of<CorruptData>([&] { (void)zip.read_text("none", 4); }), HasSubstr("no entry none"));
}

TEST_F(Zip, IsReadInPieces) {
  const std::string text = "0123456789";
  const ZipFile zip = open(handmade_zip({deflated("x", text)}));
  ZipStream in = zip.stream("x");
  std::string first(4, ' '), rest(6, ' ');
  in.read(std::as_writable_bytes(std::span(first)));
  EXPECT_EQ(in.left_bytes(), 6U);
  EXPECT_THAT(message_of<CorruptData>([&] { in.expect_end(); }), HasSubstr("6 bytes more"));
  in.read(std::as_writable_bytes(std::span(rest)));
  in.expect_end();
  EXPECT_EQ(first + rest, text);
}

TEST_F(Zip, WrittenHereIsReadHereAndAlwaysTheSame) {
  const std::string a = "first", b = "second";
  for (const char* name : {"1.zip", "2.zip"}) {
    ZipWriter writer(at(name));
    writer.add("x", {std::as_bytes(std::span(a)), std::as_bytes(std::span(b))});
    writer.add("y", {});
    writer.commit();
  }
  EXPECT_EQ(bytes_of(at("1.zip")), bytes_of(at("2.zip")));
  const ZipFile zip = ZipFile::open(at("1.zip"));
  EXPECT_EQ(zip.read_text("x", kPlenty), "firstsecond");
  EXPECT_EQ(zip.read_text("y", kPlenty), "");
}

TEST_F(Zip, CutAnywhereIsRefused) {
  const std::string text(300, 'b');
  ZipWriter writer(at("good.zip"));
  writer.add("x", {std::as_bytes(std::span(text))});
  writer.commit();
  for (const std::string& good : {bytes_of(at("good.zip")), handmade_zip({deflated("x", text), stored("y", text)})}) {
    for (std::size_t length = 0; length < good.size(); ++length)
      EXPECT_NE(refusal(good.substr(0, length)), "") << length;
  }
}

TEST_F(Zip, WithAnyByteChangedNeverCrashesNorGivesOtherContent) {
  const std::string text(50, 'c');
  const std::string good = handmade_zip({deflated("x", text), stored("y", text)});
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char change : {'\x01', '\x80', '\xff'}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ change);
      try {
        EXPECT_EQ(open(bad).read_text("x", kPlenty), text) << i;
      } catch (const common::Error&) {
      }
    }
  }
}

TEST_F(Zip, ThatClaimsWhatItCannotHoldIsRefused) {
  HandmadeEntry bomb = deflated("x", std::string(1000, 'a'));
  bomb.num_bytes = 0xfffffff0;
  EXPECT_THAT(refusal(bomb), HasSubstr("cannot unpack to 4294967280"));
  HandmadeEntry longer = stored("x", "abc");
  longer.num_bytes = 4;
  EXPECT_THAT(refusal(longer), HasSubstr("cannot unpack"));
  HandmadeEntry more = deflated("x", std::string(1000, 'a'));
  more.num_bytes = 999;
  EXPECT_THAT(refusal(more), HasSubstr("unpacks to more"));
  HandmadeEntry less = deflated("x", std::string(1000, 'a'));
  less.num_bytes = 1001;
  EXPECT_THAT(refusal(less), HasSubstr("less than"));
}

TEST_F(Zip, WithAWrongChecksumIsRefused) {
  for (HandmadeEntry entry : {stored("x", "abc"), deflated("x", "abc")}) {
    entry.crc ^= 1;
    EXPECT_THAT(refusal(entry), HasSubstr("checksum"));
  }
}

TEST_F(Zip, WithDamagedOrSurplusPackedDataIsRefused) {
  HandmadeEntry damaged = deflated("x", "some text that is packed");
  damaged.packed[0] = '\xff';
  EXPECT_THAT(refusal(damaged), HasSubstr("damaged"));
  HandmadeEntry surplus = deflated("x", "abc");
  surplus.packed += "tail";
  EXPECT_THAT(refusal(surplus), HasSubstr("bytes follow"));
}

TEST_F(Zip, WhoseEntriesOverlapOrDisagreeIsRefused) {
  HandmadeEntry second = stored("x", "abc");
  second.place = 0;
  second.local_name = "x";
  EXPECT_THAT(refusal(handmade_zip({stored("x", "abc"),
                                    [&] {
                                      HandmadeEntry e = stored("y", "abc");
                                      e.place = 0;
                                      return e;
                                    }()})),
              HasSubstr("name it differently"));
  EXPECT_THAT(refusal(handmade_zip({stored("x", "abc"), second})), HasSubstr("twice"));
  HandmadeEntry outside = stored("x", "abc");
  outside.place = 1'000'000;
  EXPECT_NE(refusal(outside), "");
  HandmadeEntry elsewhere = stored("x", "abc");
  elsewhere.place = 1;
  EXPECT_THAT(refusal(elsewhere), HasSubstr("not where"));
}

TEST_F(Zip, OfAKindThatIsNotReadSaysSo) {
  HandmadeEntry entry = stored("x", "abc");
  entry.method = 12;
  EXPECT_THAT(refusal(entry), HasSubstr("method 12"));
  entry = stored("x", "abc");
  entry.flags = 1;
  EXPECT_THAT(refusal(entry), HasSubstr("encrypted"));
  EXPECT_THAT(refusal("PK\x03\x04 and no directory"), HasSubstr("end record"));
  EXPECT_THAT(refusal("#!/bin/sh\n" + handmade_zip({stored("x", "abc")})), HasSubstr("directory"));
}

}  // namespace
}  // namespace ditscale::worker
