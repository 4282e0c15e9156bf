#include "scan/sqlite/keyset_reader.h"

#include <algorithm>
#include <utility>

#include "scan/scan_errors.h"
#include "scan/sql_text.h"

namespace longshore {

namespace {

constexpr int kMaxFailures = 5;
constexpr std::chrono::milliseconds kPause{100};

}  // namespace

SqliteKeysetReader::SqliteKeysetReader(Source source, std::shared_ptr<ConnectionSlots> slots,
                                       std::shared_ptr<Pacer> pacer, ScanRequest request, std::stop_token stop)
    : source_(std::move(source)),
      slots_(std::move(slots)),
      pacer_(std::move(pacer)),
      request_(std::move(request)),
      stop_(std::move(stop)),
      pacing_(*pacer_, source_.name, request_.pressure),
      after_(request_.range.after),
      limit_(std::clamp(source_.batch_rows, 1, 10'000)),
      done_(request_.range.empty) {}

Result<bool> SqliteKeysetReader::next(RowBatch& batch) {
  batch.clear();
  pacing_.resume();
  while (!done_ && !batch.full(request_.batch)) {
    if (stop_.stop_requested()) return fail(scan_stopped());
    Status step = statement_ ? read_rows(batch) : begin_statement();
    if (!step) CHECK_OK(recover(std::move(step).error()));
  }
  if (statement_) pacing_.leave();
  if (batch.row_count() == 0) return false;
  batch.set_last_key(*after_);
  return true;
}

Status SqliteKeysetReader::open() {
  if (!slot_) {
    TRY(slot_, slots_->acquire(stop_));
  }
  TRY(connection_, SqliteConnection::open(source_.path, stop_));
  return request_.one_moment ? begin_moment() : Status();
}

Status SqliteKeysetReader::begin_moment() {
  TRY(SqliteStatement mode, connection_->prepare("PRAGMA journal_mode"));
  TRY([[maybe_unused]] const bool told, mode.step());
  if (mode.text(0) != "wal") {
    return fail(moment_unsupported("the file of source " + source_.name +
                                   " is not in WAL mode, so that who reads one moment would keep its writers out; have "
                                   "its owner say PRAGMA journal_mode = WAL, or use best_effort"));
  }
  TRY(SqliteStatement begin, connection_->prepare("BEGIN"));
  CHECK_OK(begin.step());
  // The state is that of the first read.
  TRY(SqliteStatement first, connection_->prepare("SELECT count(*) FROM sqlite_schema"));
  CHECK_OK(first.step());
  moment_.emplace();
  moment_->server = source_.path;
  moment_->taken_at = clock_.now();
  return {};
}

Status SqliteKeysetReader::begin_statement() {
  TRY([[maybe_unused]] const bool waited, pacing_.take_turn(stop_));
  if (connection_ == nullptr) CHECK_OK(open());
  const ExportSpec& spec = *request_.spec;
  if (!key_) {
    TRY(selection_, selection(*connection_, spec));
    std::vector<std::string> expressions;
    expressions.reserve(spec.columns.size() + spec.dataset.key.size());
    for (const Column& column : spec.columns) expressions.push_back(exported_expression(column));
    for (const std::string& column : spec.dataset.key) expressions.push_back(quote_identifier(column));
    select_ = "SELECT " + join(expressions, ", ") + " FROM " + quote_relation(spec.dataset.relation) + " WHERE ";
    // Also finds missing columns when there is not a single row.
    TRY(const SqliteStatement columns, connection_->prepare(select_ + selection_.sql));
    TRY(key_, SqliteKey::probe(*connection_, spec.dataset));
    if (!key_) {
      done_ = true;
      return {};
    }
  }
  SqliteCondition where = selection_;
  if (after_) {
    TRY(const SqliteCondition behind, key_->condition(">", *after_));
    where.add(behind);
  }
  if (request_.range.upto) {
    TRY(const SqliteCondition upto, key_->condition("<=", *request_.range.upto));
    where.add(upto);
  }
  TRY(SqliteStatement statement, connection_->prepare(select_ + where.sql + " ORDER BY " + join(key_->columns(), ", ") +
                                                      " LIMIT " + std::to_string(limit_)));
  for (std::size_t i = 0; i < where.binds.size(); ++i) {
    CHECK_OK(statement.bind(static_cast<int>(i) + 1, where.binds[i].view()));
  }
  statement_ = std::move(statement);
  statement_rows_ = 0;
  pacing_.begin();
  return {};
}

Status SqliteKeysetReader::read_rows(RowBatch& batch) {
  using std::chrono::milliseconds;
  while (true) {
    // The limit is on the time without a row: that a batch waits to be encoded is nobody's fault here.
    if (source_.statement_timeout > Duration::zero()) {
      connection_->set_time_limit(std::chrono::duration_cast<milliseconds>(source_.statement_timeout));
    }
    TRY(const bool row, statement_->step());
    if (!row) {
      statement_.reset();
      done_ = statement_rows_ < limit_;
      pacing_.end(statement_rows_);
      return {};
    }
    CHECK_OK(append_row(batch));
    ++statement_rows_;
    failures_ = 0;
    if (batch.full(request_.batch)) return {};
    if ((statement_rows_ & 255) == 0 && stop_.stop_requested()) return fail(scan_stopped());
  }
}

Status SqliteKeysetReader::append_row(RowBatch& batch) {
  const auto& columns = request_.spec->columns;
  TRY(KeyTuple key, key_->read(*statement_, static_cast<int>(columns.size())));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const SqliteValue value = statement_->column(static_cast<int>(i));
    if (value.storage == SqliteValue::Storage::null) {
      batch.column(i).append_null();
    } else if (!append_sqlite_value(value, batch.column(i))) {
      return fail(source_value_mismatch(columns[i].source, columns[i].type, value.to_text(), key));
    }
  }
  batch.finish_row();
  after_ = std::move(key);
  return {};
}

Status SqliteKeysetReader::recover(Error error) {
  if (error.code != "source_unavailable") return fail(std::move(error));
  if (moment_) {
    return fail(
        snapshot_gone("the connection that read it was lost, and no other can read the same: " + error.message));
  }
  statement_.reset();
  connection_.reset();
  if (++failures_ > kMaxFailures) {
    return fail(source_unavailable("source " + source_.name + ": gave up after " + std::to_string(failures_) +
                                   " attempts: " + error.message));
  }
  if (!clock_.sleep_for(kPause * failures_, stop_)) return fail(scan_stopped());
  return {};
}

}  // namespace longshore
