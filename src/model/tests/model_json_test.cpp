#include "base/digest.h"
#include "model/chunk_summary.h"
#include "model/export_spec.h"
#include "model/job.h"
#include "model/key.h"
#include "model/relation_info.h"

namespace longshore {
namespace {

DataType type(std::string_view name) {
  return *parse_data_type(name);
}

Column plain_column(std::string name, DataType column_type) {
  Column column;
  column.name = column.source = std::move(name);
  column.type = column_type;
  return column;
}

/// Every field set to something that is not its default.
ExportSpec full_spec() {
  ExportSpec spec;
  spec.dataset = {.name = "audit_logs",
                  .source = "app",
                  .relation = "public.audit_logs",
                  .tenant_column = "tenant_id",
                  .subject_column = "user_id",
                  .key = {"region", "id"},
                  .key_types = {type("text"), type("int64")},
                  .time_column = "created_at",
                  .time_type = type("timestamptz"),
                  .tenant_type = type("uuid"),
                  .permission = "exports.audit_logs",
                  .description = "What \"users\" did\n— zażółć",
                  .retention = std::chrono::hours{168},
                  .exact_boundaries = true,
                  .columns = {plain_column("id", type("int64")),
                              {.name = "ipAddress",
                               .source = "ip_address",
                               .type = type("text"),
                               .classification = "pii",
                               .permission = "pii.read",
                               .filterable = true},
                              plain_column("amount", type("numeric(12,2)")),
                              plain_column("tags", type("text[]"))}};
  spec.columns = {spec.dataset.columns[3], spec.dataset.columns[0]};
  spec.format = "jsonl";
  spec.compression = Compression::zstd;
  spec.consistency = Consistency::snapshot;
  spec.filters = {
      {.column = "created_at",
       .op = FilterOp::gte,
       .values = {{.type = type("timestamptz"), .text = "2026-01-01T00:00:00Z"}}},
      {.column = "action",
       .op = FilterOp::in,
       .values = {{.type = type("text"), .text = "login"}, {.type = type("text"), .text = "it's \\ \"x\""}}},
      {.column = "deleted_at", .op = FilterOp::is_null, .values = {}}};
  spec.tenant = "acme";
  spec.csv = {.delimiter = '\t', .header = false, .bom = true, .crlf = false, .profile = CsvProfile::machine};
  spec.parquet = {
      .profile = ParquetProfile::modern, .codec = ParquetCodec::snappy, .bloom_filters = {"tags", "id \"x\" ł"}};
  spec.xlsx = {.sheet_name = "Zażółć 2026", .table_style = XlsxTableStyle::dark};
  spec.pdf = {.orientation = PdfOrientation::landscape, .page_size = PdfPageSize::letter};
  spec.time_zone = "Europe/Warsaw";
  spec.title = "Audit, first half";
  spec.requested_at = Timestamp{Duration{1'780'000'000'123'456}};
  return spec;
}

TEST(ExportSpecJson, BringsBackEveryField) {
  const ExportSpec spec = full_spec();
  const auto read = spec_from_json(to_json(spec));
  ASSERT_TRUE(read) << read.error().message;
  const Dataset& dataset = read->dataset;
  EXPECT_EQ(dataset.name, "audit_logs");
  EXPECT_EQ(dataset.source, "app");
  EXPECT_EQ(dataset.relation, "public.audit_logs");
  EXPECT_EQ(dataset.tenant_column, "tenant_id");
  EXPECT_EQ(dataset.subject_column, "user_id");
  EXPECT_EQ(dataset.key, spec.dataset.key);
  EXPECT_EQ(dataset.key_types, spec.dataset.key_types);
  EXPECT_EQ(dataset.time_column, "created_at");
  EXPECT_EQ(dataset.time_type, type("timestamptz"));
  EXPECT_EQ(dataset.tenant_type, type("uuid"));
  EXPECT_EQ(dataset.permission, "exports.audit_logs");
  EXPECT_EQ(dataset.description, spec.dataset.description);
  EXPECT_EQ(dataset.retention, std::chrono::hours{168});
  EXPECT_TRUE(dataset.exact_boundaries);
  ASSERT_EQ(dataset.columns.size(), 4U);
  const Column& column = dataset.columns[1];
  EXPECT_EQ(column.name, "ipAddress");
  EXPECT_EQ(column.source, "ip_address");
  EXPECT_EQ(column.type, type("text"));
  EXPECT_EQ(column.classification, "pii");
  EXPECT_EQ(column.permission, "pii.read");
  EXPECT_TRUE(column.filterable);
  EXPECT_FALSE(dataset.columns[0].filterable);
  EXPECT_EQ(dataset.columns[2].type, type("numeric(12,2)"));

  ASSERT_EQ(read->columns.size(), 2U);
  EXPECT_EQ(read->columns[0].name, "tags");
  EXPECT_EQ(read->columns[0].type, type("text[]"));
  EXPECT_EQ(read->columns[1].name, "id");
  EXPECT_EQ(read->format, "jsonl");
  EXPECT_EQ(read->compression, Compression::zstd);
  EXPECT_EQ(read->consistency, Consistency::snapshot);
  ASSERT_EQ(read->filters.size(), 3U);
  EXPECT_EQ(read->filters[0].column, "created_at");
  EXPECT_EQ(read->filters[0].op, FilterOp::gte);
  EXPECT_EQ(read->filters[0].values.at(0).type, type("timestamptz"));
  EXPECT_EQ(read->filters[1].values.at(1).text, "it's \\ \"x\"");
  EXPECT_EQ(read->filters[2].op, FilterOp::is_null);
  EXPECT_TRUE(read->filters[2].values.empty());
  EXPECT_EQ(read->tenant, "acme");
  EXPECT_EQ(read->csv.delimiter, '\t');
  EXPECT_FALSE(read->csv.header);
  EXPECT_TRUE(read->csv.bom);
  EXPECT_FALSE(read->csv.crlf);
  EXPECT_EQ(read->csv.profile, CsvProfile::machine);
  EXPECT_EQ(read->parquet.profile, ParquetProfile::modern);
  EXPECT_EQ(read->parquet.codec, ParquetCodec::snappy);
  EXPECT_EQ(read->parquet.bloom_filters, spec.parquet.bloom_filters);
  EXPECT_EQ(read->xlsx.sheet_name, "Zażółć 2026");
  EXPECT_EQ(read->xlsx.table_style, XlsxTableStyle::dark);
  EXPECT_EQ(read->pdf.orientation, PdfOrientation::landscape);
  EXPECT_EQ(read->pdf.page_size, PdfPageSize::letter);
  EXPECT_EQ(read->time_zone, "Europe/Warsaw");
  EXPECT_EQ(read->title, "Audit, first half");
  EXPECT_EQ(read->requested_at, spec.requested_at);
}

TEST(ExportSpecJson, AnEmptySpecAndEveryEnumComeBack) {
  for (const auto op : {FilterOp::eq, FilterOp::in, FilterOp::gte, FilterOp::gt, FilterOp::lte, FilterOp::lt}) {
    for (const auto compression : {Compression::none, Compression::gzip}) {
      for (const auto consistency : {Consistency::best_effort, Consistency::materialized}) {
        ExportSpec spec;
        spec.filters.push_back({.column = "c", .op = op, .values = {}});
        spec.compression = compression;
        spec.consistency = consistency;
        const std::string json = to_json(spec);
        const auto read = spec_from_json(json);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->filters[0].op, op);
        EXPECT_EQ(read->compression, compression);
        EXPECT_EQ(read->consistency, consistency);
        EXPECT_EQ(read->dataset.time_type, std::nullopt);
        EXPECT_EQ(to_json(*read), json);
      }
    }
  }
}

/// Every value of an enumeration, put into a spec by `member`, comes back, and its name is in names_of().
template <class Enum, class Member>
void expect_every_value(Member member) {
  const auto names = names_of<Enum>();
  for (std::size_t i = 0; i < names.size(); ++i) {
    ExportSpec spec;
    member(spec) = static_cast<Enum>(i);
    EXPECT_EQ(to_string(member(spec)), names[i]);
    auto read = spec_from_json(to_json(spec));
    ASSERT_TRUE(read) << names[i];
    EXPECT_EQ(member(*read), static_cast<Enum>(i)) << names[i];
  }
}

TEST(ExportSpecJson, EveryOptionOfAFormatComesBack) {
  expect_every_value<CsvProfile>([](ExportSpec& spec) -> auto& { return spec.csv.profile; });
  expect_every_value<ParquetProfile>([](ExportSpec& spec) -> auto& { return spec.parquet.profile; });
  expect_every_value<ParquetCodec>([](ExportSpec& spec) -> auto& { return spec.parquet.codec; });
  expect_every_value<XlsxTableStyle>([](ExportSpec& spec) -> auto& { return spec.xlsx.table_style; });
  expect_every_value<PdfOrientation>([](ExportSpec& spec) -> auto& { return spec.pdf.orientation; });
  expect_every_value<PdfPageSize>([](ExportSpec& spec) -> auto& { return spec.pdf.page_size; });
  expect_every_value<Compression>([](ExportSpec& spec) -> auto& { return spec.compression; });
  expect_every_value<Consistency>([](ExportSpec& spec) -> auto& { return spec.consistency; });
  expect_every_value<Consistency>([](ExportSpec& spec) -> auto& { return spec.dataset.consistencies.back(); });
  expect_every_value<SnapshotLoss>([](ExportSpec& spec) -> auto& { return spec.dataset.on_snapshot_loss; });
}

TEST(JobTest, ASnapshotComesBackFromJson) {
  const ExportSnapshot snapshot{.id = "00000003-0000001B-1",
                                .lsn = "0/3000148",
                                .server = "replica \"1\":5432/app",
                                .system_identifier = "7301234567890123456",
                                .taken_at = Timestamp{Duration{1'767'225'600'123'456}}};
  const auto read = snapshot_from_json(to_json(snapshot));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->id, snapshot.id);
  EXPECT_EQ(read->lsn, snapshot.lsn);
  EXPECT_EQ(read->server, snapshot.server);
  EXPECT_EQ(read->system_identifier, snapshot.system_identifier);
  EXPECT_EQ(read->taken_at, snapshot.taken_at);
  EXPECT_EQ(snapshot_from_json("{}").error().code, "bad_stored_job");
}

TEST(ExportSpecJson, ASpecFromBeforeThereWereStrategiesIsReadAsBestEffort) {
  ExportSpec spec;
  spec.dataset.consistencies = {Consistency::snapshot};
  spec.dataset.on_snapshot_loss = SnapshotLoss::fail;
  std::string text = to_json(spec);
  const auto at = text.find("\"consistencies\"");
  const auto end = text.find("\"columns\"", at);
  text.erase(at, end - at);
  const auto read = spec_from_json(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->dataset.consistencies, std::vector{Consistency::best_effort});
  EXPECT_EQ(read->dataset.on_snapshot_loss, SnapshotLoss::restart);
}

TEST(ExportSpecJson, EveryDamageIsAnErrorAndNeverACrash) {
  const std::string json = to_json(full_spec());
  for (const char* text : {"", "null", "[]", "{}", "{\"dataset\":{}}"}) {
    const auto read = spec_from_json(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, "bad_stored_spec");
    EXPECT_EQ(read.error().source, ErrorSource::internal);
  }
  for (std::size_t length = 0; length < json.size(); ++length) {
    ASSERT_FALSE(spec_from_json(json.substr(0, length))) << "cut at " << length;
  }
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"\"zstd\"", "\"brotli\""},
                                                                                 {"\"gte\"", "\"like\""},
                                                                                 {"\"int64\"", "\"money\""},
                                                                                 {"\"machine\"", "7"},
                                                                                 {"\"snappy\"", "\"lzo\""},
                                                                                 {"\"landscape\"", "\"sideways\""},
                                                                                 {"\"letter\"", "\"b5\""},
                                                                                 {"\"dark\"", "null"},
                                                                                 {"\"requestedAtMicros\"", "\"x\""},
                                                                                 {"\"\\t\"", "\"ab\""},
                                                                                 {"\"tenant\"", "\"renter\""}}) {
    std::string damaged = json;
    const std::size_t at = damaged.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    damaged.replace(at, from.size(), to);
    EXPECT_FALSE(spec_from_json(damaged)) << to;
  }
}

TEST(ExportSpec, NamesReadBackAsTheyAreWritten) {
  for (const auto value : {Compression::none, Compression::gzip, Compression::zstd}) {
    EXPECT_EQ(parse_compression(to_string(value)), value);
  }
  for (const auto value : {Consistency::best_effort, Consistency::snapshot, Consistency::materialized}) {
    EXPECT_EQ(parse_consistency(to_string(value)), value);
  }
  EXPECT_EQ(to_string(Consistency::best_effort), "best_effort");
  EXPECT_EQ(parse_compression("brotli"), std::nullopt);
  EXPECT_EQ(parse_consistency(""), std::nullopt);
}

TEST(Dataset, ColumnsAreFoundByTheirApiName) {
  const Dataset dataset = full_spec().dataset;
  ASSERT_NE(dataset.find_column("ipAddress"), nullptr);
  EXPECT_EQ(dataset.find_column("ipAddress")->source, "ip_address");
  EXPECT_EQ(dataset.find_column("ip_address"), nullptr);
}

TEST(RelationInfo, ColumnsAreFoundByTheirDatabaseName) {
  RelationInfo relation;
  relation.columns = {{.name = "id", .type = type("int64"), .database_type = "bigint", .nullable = false}};
  ASSERT_NE(relation.find_column("id"), nullptr);
  EXPECT_EQ(relation.find_column("ID"), nullptr);
}

TEST(JobState, NamesReadBackInAnyCase) {
  for (const auto state : {JobState::queued, JobState::running, JobState::succeeded, JobState::failed,
                           JobState::cancelled, JobState::expired}) {
    EXPECT_EQ(parse_job_state(to_string(state)), state);
  }
  for (const auto state :
       {PartitionState::pending, PartitionState::running, PartitionState::completed, PartitionState::failed}) {
    EXPECT_EQ(parse_partition_state(to_string(state)), state);
  }
  EXPECT_EQ(to_string(JobState::cancelled), "CANCELLED");
  EXPECT_EQ(to_string(PartitionState::completed), "COMPLETED");
  EXPECT_EQ(parse_job_state("Queued"), JobState::queued);
  EXPECT_EQ(parse_job_state("PENDING"), std::nullopt);
  EXPECT_EQ(parse_job_state(""), std::nullopt);
}

TEST(Key, SurvivesAnyBytes) {
  const std::vector<KeyTuple> keys{{},
                                   {""},
                                   {"42"},
                                   {"2026-06-06T14:20:00.000001Z", "zażółć \"gęślą\" \\ / \n\t"},
                                   {std::string("nul\0inside", 10)},
                                   {"not utf-8: \xff\xc3"},
                                   {"[1,2]", "null"}};
  for (const KeyTuple& key : keys) {
    const auto back = key_from_json(to_json(key));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, key);
  }
  EXPECT_EQ(to_json(KeyTuple{"eu", "42"}), R"(["eu","42"])");
}

TEST(Key, OtherJsonIsRefused) {
  for (const char* text : {"", "{}", "[1]", "[\"a\"", "[null]", "\"a\"", "[\"a\"] x"}) {
    const auto key = key_from_json(text);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().code, "bad_key");
  }
}

ChunkSummary summary_of(std::string_view raw, std::int64_t rows, std::string detail,
                        std::vector<ColumnFidelity> fidelity) {
  return {.rows = rows,
          .raw_bytes = static_cast<std::int64_t>(raw.size()),
          .raw_crc32 = crc32(raw),
          .fidelity = std::move(fidelity),
          .detail = std::move(detail)};
}

TEST(ChunkSummary, NeighboursJoinToTheSummaryOfTheWhole) {
  const ColumnFidelity first{.guarded = 1, .stringified = 2, .truncated = 3, .replaced = 4};
  const ColumnFidelity second{.guarded = 10, .stringified = 20, .truncated = 30, .replaced = 40};
  const ColumnFidelity both{.guarded = 11, .stringified = 22, .truncated = 33, .replaced = 44};

  ChunkSummary joined;
  joined.append(summary_of("a,b\r\n", 1, "AB", {}));
  EXPECT_EQ(joined, summary_of("a,b\r\n", 1, "AB", {}));
  joined.append(summary_of("1,2\r\n3,4\r\n", 2, "", {first, {}}));
  joined.append(summary_of("", 0, "", {}));
  joined.append(summary_of("5,6\r\n", 1, "C", {second, second}));
  EXPECT_EQ(joined, summary_of("a,b\r\n1,2\r\n3,4\r\n5,6\r\n", 4, "ABC", {both, second}));
  EXPECT_FALSE(joined.fidelity[0].clean());
  EXPECT_TRUE(ColumnFidelity{}.clean());
}

TEST(ChunkSummary, HowTheBytesAreGroupedDoesNotMatter) {
  const std::vector<ChunkSummary> pieces{summary_of("abc", 1, "x", {}), summary_of("defgh", 2, "y", {{.guarded = 1}}),
                                         summary_of("i", 1, "z", {{.replaced = 2}})};
  ChunkSummary left = pieces[0];
  left.append(pieces[1]);
  left.append(pieces[2]);
  ChunkSummary tail = pieces[1];
  tail.append(pieces[2]);
  ChunkSummary right = pieces[0];
  right.append(tail);
  EXPECT_EQ(left, right);
}

TEST(ChunkSummary, WithoutACrcStaysWithout) {
  ChunkSummary joined;
  joined.raw_bytes = 100;
  ChunkSummary next;
  next.raw_bytes = 5'000'000'000;
  joined.append(next);
  EXPECT_EQ(joined.raw_crc32, 0U);
  EXPECT_EQ(joined.raw_bytes, 5'000'000'100);
}

TEST(ChunkSummaryJson, BringsBackEveryField) {
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes.push_back(static_cast<char>(i));
  const std::vector<ChunkSummary> summaries{
      {},
      {.rows = INT64_MAX,
       .raw_bytes = INT64_MAX,
       .raw_crc32 = 0xFFFFFFFF,
       .fidelity = {{}, {.guarded = 1, .stringified = 2, .truncated = 3, .replaced = INT64_MAX}},
       .detail = all_bytes}};
  for (const ChunkSummary& summary : summaries) {
    const auto read = summary_from_json(to_json(summary));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, summary);
  }
}

TEST(ChunkSummaryJson, DamageIsAnError) {
  for (const char* text :
       {"", "{}", "[]", R"({"rows":1})", R"({"rows":"1","rawBytes":0,"rawCrc32":0,"fidelity":[],"detail":""})",
        R"({"rows":1,"rawBytes":0,"rawCrc32":4294967296,"fidelity":[],"detail":""})",
        R"({"rows":1,"rawBytes":0,"rawCrc32":0,"fidelity":[[1,2,3]],"detail":""})",
        R"({"rows":1,"rawBytes":0,"rawCrc32":0,"fidelity":[],"detail":"*"})"}) {
    const auto read = summary_from_json(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, "bad_stored_summary");
  }
}

}  // namespace
}  // namespace longshore
