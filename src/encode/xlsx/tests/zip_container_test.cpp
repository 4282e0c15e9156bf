#include "xlsx/zip_container.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/digest.h"
#include "sample_rows.h"
#include "workbook_file.h"
#include "xlsx/partition_detail.h"

namespace longshore {
namespace {

TEST(ZipContainer, PiecesMakeOneStream) {
  ByteBuffer first;
  ASSERT_TRUE(append_deflated("", false, first));
  ASSERT_TRUE(append_deflated("head ", false, first));
  ASSERT_TRUE(append_deflated("tail", true, first));
  ZipEntry described;
  described.name = "a.xml";
  described.packed = static_cast<std::uint32_t>(first.size());
  described.size = 9;
  described.crc32 = crc32("head tail");
  ByteBuffer file;
  append_local_header(described, Timestamp{}, file);
  EXPECT_EQ(file.size(), local_header_size(described));
  file.append(first.view());
  append_central_directory({described}, Timestamp{}, file.size(), file);
  const TemporaryDirectory directory;
  const CommandResult result = run_command(
      "/usr/bin/python3 -c 'import zipfile,sys; z = zipfile.ZipFile(sys.argv[1]); "
      "print(z.testzip(), z.read(\"a.xml\"), z.infolist()[0].date_time)' " +
      directory.write("a.zip", file.view()));
  EXPECT_EQ(result.output, "None b'head tail' (1980, 1, 1, 0, 0, 0)\n");
}

/// Three sheets of 3.9 GB each, deflated to the same size: a file of holes, of which only the frame is written.
TEST(ZipContainer, OffsetsBeyondFourGigabytesAreFound) {
  ExportSpec spec = make_spec("xlsx", {"id:int32"});
  spec.requested_at = Timestamp{std::chrono::microseconds{1'780'755'600'000'000}};
  const auto frame = XlsxFormat().make_frame(spec);
  ASSERT_TRUE(frame);
  std::vector<EncodedPartition> partitions(3);
  for (EncodedPartition& each : partitions) {
    each.summary.rows = 1'000'000;
    each.summary.raw_bytes = 3'900'000'000;
    each.summary.detail = to_detail({0, {5}});
    each.bytes = 3'900'000'000;
  }
  const TemporaryDirectory directory;
  const std::string path = directory.write("large.xlsx", "");
  std::vector<std::int64_t> offsets;
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    const auto write = [&](const ByteBuffer& bytes) {
      file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    };
    ByteBuffer bytes;
    ASSERT_TRUE((*frame)->prologue(partitions, bytes));
    write(bytes);
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      bytes.clear();
      ASSERT_TRUE(i == 0 || (*frame)->glue(partitions, i, bytes));
      write(bytes);
      offsets.push_back(static_cast<std::int64_t>(file.tellp()));
      file.seekp(partitions[i].bytes, std::ios::cur);
    }
    bytes.clear();
    ASSERT_TRUE((*frame)->epilogue(partitions, offsets, bytes));
    write(bytes);
    ASSERT_TRUE(file.flush());
  }
  // open() reads the local header where the directory says it is and compares the names.
  const CommandResult result = run_command(
      "/usr/bin/python3 -c 'import zipfile,sys; z = zipfile.ZipFile(sys.argv[1])\n"
      "for i in z.infolist()[-3:]: z.open(i); print(i.filename, i.file_size > 3.9e9, i.compress_size > 3.9e9, "
      "i.header_offset > 2**32)' " +
      path);
  EXPECT_EQ(result.output,
            "xl/worksheets/sheet1.xml True True False\n"
            "xl/worksheets/sheet2.xml True True False\n"
            "xl/worksheets/sheet3.xml True True True\n");
}

}  // namespace
}  // namespace longshore
