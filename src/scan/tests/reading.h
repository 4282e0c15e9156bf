#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scan/row_source.h"

/// What the tests of every source share: reading ranges to their end, and values as text.
namespace longshore {

using TextRow = std::vector<std::optional<std::string>>;

/// A value in canonical text; bytea as hexadecimal digits.
std::optional<std::string> shown(const ColumnVector& column, std::size_t row);

struct Reading {
  std::vector<TextRow> rows;
  std::vector<std::size_t> batch_rows;  ///< rows of each batch
  std::vector<KeyTuple> last_keys;      ///< of each batch
};

RowBatch batch_for(const ExportSpec& spec);
void append_rows(const RowBatch& batch, Reading& reading);

/// Reads an open scan to its end; `between` is called after each batch, with how many there were before it.
Result<Reading> read_steps(
    RowSource& scan, const ExportSpec& spec, const std::function<void(int)>& between = [](int) {});
/// Reads one range to its end.
Result<Reading> read_range(SourceDatabase& source, const ExportSpec& spec, const KeyRange& range,
                           BatchLimits limits = {});
/// Reads ranges one after the other.
Result<Reading> read_ranges(SourceDatabase& source, const ExportSpec& spec, const std::vector<KeyRange>& ranges,
                            BatchLimits limits = {});

/// The catalog's part: a dataset of `relation` with these columns, all of it selected, without a tenant.
ExportSpec spec_of(const RelationInfo& relation, const std::vector<std::string>& key);

Filter filter_of(const std::string& column, FilterOp op, const char* type, std::vector<std::string> values);
/// The ids, in the first column, of the rows that these filters leave. Fails the test on an error.
std::vector<int> ids_of(SourceDatabase& source, ExportSpec spec, std::vector<Filter> filters);

/// Waits until something is so, as long as a machine that is busy with other things may take. False: it is not.
bool eventually(const std::function<bool()>& condition);

/// Whether a Result holds an error of this code, whose message contains these words.
template <class T>
void expect_error(const Result<T>& result, const std::string& code, const std::string& words) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, code) << result.error().message;
  EXPECT_THAT(result.error().message, testing::HasSubstr(words));
}

}  // namespace longshore
