#include "scan/postgres/keyset_reader.h"

#include <algorithm>
#include <utility>

#include "scan/postgres/keyset_query.h"
#include "scan/postgres/schema_reader.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"

namespace longshore {

namespace {

constexpr int kMaxFailures = 5;
constexpr int kMaxTimeoutsAtSmallest = 2;
constexpr std::int64_t kSmallestLimit = 100;
constexpr std::chrono::milliseconds kFirstPause{50};
constexpr std::chrono::milliseconds kLongestPause{2000};

}  // namespace

PostgresKeysetReader::PostgresKeysetReader(std::shared_ptr<const PostgresServers> servers, ScanRequest request,
                                           std::stop_token stop)
    : servers_(std::move(servers)),
      request_(std::move(request)),
      stop_(std::move(stop)),
      after_(request_.range.after),
      limit_(std::clamp(servers_->source().batch_rows, 1, 10'000)),
      done_(request_.range.empty) {}

Result<bool> PostgresKeysetReader::next(RowBatch& batch) {
  batch.clear();
  if (stop_.stop_requested()) return fail(scan_stopped());
  while (!done_ && !batch.full(request_.batch)) {
    if (postponed_) CHECK_OK(recover(*std::exchange(postponed_, std::nullopt)));
    Status step = running_ ? read_rows(batch) : begin_statement();
    if (step && running_ && statement_rows_ == statement_limit_) step = finish_statement();
    if (!step) CHECK_OK(recover(std::move(step).error()));
  }
  if (batch.row_count() == 0) return false;
  CHECK_OK(remember_position());
  batch.set_last_key(*after_);
  return true;
}

Status PostgresKeysetReader::begin_statement() {
  if (connection_ == nullptr) CHECK_OK(connect());
  if (!decoder_) CHECK_OK(prepare_decoder());
  CHECK_OK(remember_position());
  std::string sql = "COPY (" + select_;
  if (after_) {
    TRY(const std::string behind, key_condition(request_.spec->dataset, ">", *after_));
    sql += " AND " + behind;
  }
  if (request_.range.upto) {
    TRY(const std::string upto, key_condition(request_.spec->dataset, "<=", *request_.range.upto));
    sql += " AND " + upto;
  }
  sql += order_ + " LIMIT " + std::to_string(limit_) + ") TO STDOUT (FORMAT ";
  sql += decoder_->format() == CopyFormat::binary ? "binary)" : "text)";
  statement_rows_ = 0;
  statement_limit_ = limit_;
  decoder_->begin();
  CHECK_OK(connection_->send_copy(sql, stop_));
  running_ = true;
  return {};
}

Status PostgresKeysetReader::connect() {
  if (!slot_) {
    TRY(slot_, servers_->acquire_slot(stop_));
  }
  TRY(connection_, servers_->connect(server_, request_.label, stop_));
  return {};
}

Status PostgresKeysetReader::prepare_decoder() {
  const ExportSpec& spec = *request_.spec;
  auto described = read_columns(*connection_, spec.dataset.relation, stop_);
  if (!described) {
    if (described.error().code != "relation_not_found") return fail(std::move(described).error());
    return fail(source_schema_changed("relation " + spec.dataset.relation +
                                      " is not in the database any more, or may not be seen"));
  }
  std::vector<WireColumn> wire;
  const auto add = [&](const std::string& name, const DataType& type) -> Status {
    const PostgresColumn* column = find_column(*described, name);
    if (column == nullptr) {
      return fail(source_schema_changed("column \"" + name + "\" is not in relation " + spec.dataset.relation +
                                        " any more; run `longshore catalog check`"));
    }
    TRY(WireColumn read, wire_column(*column, type));
    wire.push_back(std::move(read));
    return {};
  };
  for (const Column& column : spec.columns) CHECK_OK(add(column.source, column.type));
  std::vector<std::size_t> key;
  for (std::size_t i = 0; i < spec.dataset.key.size(); ++i) {
    // A key column that is exported in its own type is on the wire already.
    const auto exported = std::ranges::find_if(spec.columns, [&](const Column& column) {
      return column.source == spec.dataset.key[i] && column.type == spec.dataset.key_types[i];
    });
    key.push_back(exported == spec.columns.end() ? wire.size()
                                                 : static_cast<std::size_t>(exported - spec.columns.begin()));
    if (exported == spec.columns.end()) CHECK_OK(add(spec.dataset.key[i], spec.dataset.key_types[i]));
  }
  TRY(const std::string where, selection(spec));
  std::vector<std::string> expressions;
  expressions.reserve(wire.size());
  for (const WireColumn& column : wire) expressions.push_back(column.expression);
  select_ = "SELECT " + join(expressions, ", ") + " FROM " + from_relation(spec.dataset) + " WHERE " + where;
  // In the columns' own collations, as the row comparisons are.
  order_ = " ORDER BY " + join(key_columns(spec.dataset), ", ");
  const CopyFormat format = choose_copy_format(wire);
  decoder_.emplace(format, std::move(wire), spec.columns.size(), std::move(key));
  return {};
}

Status PostgresKeysetReader::read_rows(RowBatch& batch) {
  while (statement_rows_ < statement_limit_) {
    TRY(const bool more, connection_->next_copy_row(stop_));
    if (!more) {
      running_ = false;
      done_ = statement_rows_ < statement_limit_;
      return {};
    }
    TRY(const bool row, decoder_->decode(connection_->last_row(), batch));
    if (!row) continue;
    ++statement_rows_;
    position_pending_ = true;
    failures_ = 0;
    timeouts_ = 0;
    if (batch.full(request_.batch)) break;
  }
  return {};
}

Status PostgresKeysetReader::finish_statement() {
  // The key is taken now: what follows replaces the last row.
  CHECK_OK(remember_position());
  while (true) {
    // Only a trailer can come; the answer to a statement that has given all its rows is on its way.
    auto more = connection_->next_copy_row(stop_);
    if (!more) {
      running_ = false;
      postponed_ = std::move(more).error();
      return {};
    }
    if (!*more) break;
  }
  running_ = false;
  if (request_.range.upto && *after_ == *request_.range.upto) {
    done_ = true;
    return {};
  }
  // After a timeout the statements grow back to their full size.
  limit_ = std::min<std::int64_t>(limit_ * 2, std::clamp(servers_->source().batch_rows, 1, 10'000));
  if (Status sent = begin_statement(); !sent) postponed_ = std::move(sent).error();
  return {};
}

Status PostgresKeysetReader::recover(Error error) {
  const bool timeout = error.code == "source_timeout";
  if (error.code == "source_schema_changed" && decoder_) return fail(what_changed(error));
  if (!timeout && error.code != "source_unavailable") return fail(std::move(error));
  CHECK_OK(remember_position());
  running_ = false;
  if (timeout) {
    if (limit_ <= kSmallestLimit && ++timeouts_ > kMaxTimeoutsAtSmallest) {
      return fail(source_timeout("source " + servers_->source().name + ": even " + std::to_string(limit_) +
                                 " rows take longer than the statement timeout; is there an index on the tenant and "
                                 "the key? " +
                                 error.message));
    }
    limit_ = std::max(std::min(limit_, kSmallestLimit), limit_ / 2);
    return {};  // the connection is as good as before
  }
  connection_.reset();
  // Every server gets two chances at least.
  const int allowed = std::max(kMaxFailures, static_cast<int>(servers_->count()) * 2);
  if (++failures_ > allowed) {
    return fail(source_unavailable("gave up after " + std::to_string(failures_) + " attempts: " + error.message));
  }
  ++server_;
  // Another server may answer at once; a pause is due when all were tried.
  if (static_cast<std::size_t>(failures_) % servers_->count() != 0) return {};
  const int round = failures_ / static_cast<int>(servers_->count());
  const auto pause = std::min(kLongestPause, kFirstPause * (1 << std::min(round - 1, 10)));
  if (!clock_.sleep_for(pause, stop_)) return fail(scan_stopped());
  return {};
}

Error PostgresKeysetReader::what_changed(const Error& error) {
  decoder_.reset();
  running_ = false;
  const Status described = prepare_decoder();
  return !described && described.error().code == error.code ? described.error() : error;
}

Status PostgresKeysetReader::remember_position() {
  if (!position_pending_) return {};
  TRY(after_, decoder_->key());
  position_pending_ = false;
  return {};
}

}  // namespace longshore
