#include "scan/mysql/keyset_reader.h"

#include <algorithm>
#include <utility>

#include "scan/mysql/moment.h"
#include "scan/mysql/schema_reader.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"
#include "telemetry/log.h"

namespace longshore {

namespace {

/// What a scan of one moment waits at most, before each of its statements, while its server lags: a transaction that
/// stood in the way of the replication of an ALTER TABLE would otherwise wait for itself.
constexpr Duration kLagPause = std::chrono::seconds{10};

}  // namespace

MysqlKeysetReader::MysqlKeysetReader(std::shared_ptr<const MysqlServers> servers, ScanRequest request,
                                     std::stop_token stop)
    : servers_(std::move(servers)),
      request_(std::move(request)),
      stop_(std::move(stop)),
      gate_(servers_->gate(request_.pressure)),
      pacing_(servers_->pacer(), servers_->source().name, request_.pressure),
      retries_(servers_->source(), servers_->count()),
      after_(request_.range.after),
      done_(request_.range.empty) {}

Result<bool> MysqlKeysetReader::next(RowBatch& batch) {
  batch.clear();
  if (stop_.stop_requested()) return fail(scan_stopped());
  pacing_.resume();
  while (!done_ && !batch.full(request_.batch)) {
    if (postponed_) CHECK_OK(recover(*std::exchange(postponed_, std::nullopt)));
    Status step = running_ ? read_rows(batch) : begin_statement();
    if (step && running_ && statement_rows_ == statement_limit_) step = finish_statement();
    if (!step) CHECK_OK(recover(std::move(step).error()));
  }
  if (running_) pacing_.leave();
  if (batch.row_count() == 0) return false;
  batch.set_last_key(*after_);
  return true;
}

Status MysqlKeysetReader::begin_statement() {
  CHECK_OK(hold_back());
  if (connection_ == nullptr) CHECK_OK(connect());
  if (!decoder_) CHECK_OK(prepare());
  std::string sql = "SELECT " + connection_->comment() + select_;
  if (after_) {
    TRY(const std::string behind, key_->behind(*after_));
    sql += " AND " + behind;
  }
  if (request_.range.upto) {
    TRY(const std::string upto, key_->up_to(*request_.range.upto));
    sql += " AND " + upto;
  }
  sql += order_ + " LIMIT " + std::to_string(retries_.limit());
  statement_rows_ = 0;
  statement_limit_ = retries_.limit();
  pacing_.begin();
  CHECK_OK(connection_->send(sql, stop_));
  running_ = true;
  return {};
}

Status MysqlKeysetReader::wait_for_lag() {
  if (gate_.is_open(choice_.server)) return {};
  ServerGate gate = servers_->gate(request_.pressure, std::min(kLagPause, servers_->source().max_pause));
  Status waited = gate.wait_for(choice_.server, stop_);
  if (waited || waited.error().code != "source_paused") return waited;
  if (request_.pressure != nullptr) request_.pressure->clear();  // it goes on
  return {};
}

Status MysqlKeysetReader::hold_back() {
  if (moment_) {
    CHECK_OK(wait_for_lag());
  } else if (connection_ != nullptr) {
    TRY(const std::size_t server, gate_.pass(choice_.server, stop_));
    if (server != choice_.server) {
      log_info("a scan leaves a server",
               {{"scan", request_.label}, {"server", servers_->name(choice_.server)}, {"for", servers_->name(server)}});
      connection_.reset();
    }
  }
  TRY(const bool waited, pacing_.take_turn(stop_));
  if (!waited) return {};
  // The server may have fallen behind meanwhile.
  return connection_ == nullptr || moment_ || gate_.is_open(choice_.server) ? Status() : hold_back();
}

Status MysqlKeysetReader::connect() {
  if (!slot_ || slot_.lost()) {
    slot_ = ConnectionSlot();
    TRY(slot_, servers_->acquire_slot(stop_));
    use_ = servers_->use(stop_);
  }
  TRY(connection_, choice_.open(*servers_, gate_, slot_, request_.label, request_.spec, stop_));
  if (!request_.one_moment) return {};
  auto moment = begin_moment(*connection_, request_.spec->dataset.relation, servers_->name(choice_.server), stop_);
  if (!moment) {
    connection_.reset();
    return fail(std::move(moment).error());
  }
  moment_ = *std::move(moment);
  return {};
}

Status MysqlKeysetReader::prepare() {
  const ExportSpec& spec = *request_.spec;
  auto described = read_columns(*connection_, spec.dataset.relation, stop_);
  if (!described) return fail(relation_gone(std::move(described).error(), spec.dataset.relation));
  std::vector<MysqlWireColumn> wire;
  for (const Column& column : spec.columns) {
    const MysqlColumn* found = find_column(*described, column.source);
    if (found == nullptr) {
      return fail(source_schema_changed("column \"" + column.source + "\" is not in relation " + spec.dataset.relation +
                                        " any more; run `longshore catalog check`"));
    }
    TRY(MysqlWireColumn read, wire_column(*found, column.type));
    wire.push_back(std::move(read));
  }
  TRY(key_, MysqlKey::make(spec.dataset, *described));
  wire.insert(wire.end(), key_->wire().begin(), key_->wire().end());
  TRY(const std::string where, selection(spec, *described));
  std::vector<std::string> expressions;
  expressions.reserve(wire.size());
  for (const MysqlWireColumn& column : wire) expressions.push_back(column.expression);
  select_ = join(expressions, ", ") + " FROM " + from_mysql_relation(spec.dataset) + " WHERE " + where;
  order_ = " ORDER BY " + join(key_->names(), ", ");
  decoder_.emplace(std::move(wire), spec.columns.size(), servers_->address(choice_.server).zero_dates_are_null);
  return {};
}

Status MysqlKeysetReader::check_shapes() {
  const std::vector<std::uint64_t>& now = connection_->column_shapes();
  if (shapes_.empty()) shapes_ = now;
  if (now == shapes_) return {};
  return fail(source_schema_changed("a column of relation " + request_.spec->dataset.relation +
                                    " was given another type while it was being exported; start the export again"));
}

Status MysqlKeysetReader::read_rows(RowBatch& batch) {
  KeyTuple key = after_.value_or(KeyTuple());
  while (statement_rows_ < statement_limit_) {
    TRY(const bool more, connection_->next_row(stop_));
    if (!more) {
      running_ = false;
      pacing_.end(statement_rows_);
      servers_->heard();
      done_ = statement_rows_ < statement_limit_;
      return {};
    }
    if (statement_rows_ == 0) CHECK_OK(check_shapes());
    CHECK_OK(decoder_->decode(connection_->row(), batch, key));
    if (after_) {
      std::swap(*after_, key);
    } else {
      after_ = key;
    }
    ++statement_rows_;
    retries_.row_came();
    if (batch.full(request_.batch)) break;
  }
  return {};
}

Status MysqlKeysetReader::finish_statement() {
  // Only the end can come; it is on its way.
  auto more = connection_->next_row(stop_);
  running_ = false;
  if (!more) {
    postponed_ = std::move(more).error();
    return {};
  }
  pacing_.end(statement_rows_);
  servers_->heard();
  if (request_.range.upto && *after_ == *request_.range.upto) {
    done_ = true;
    return {};
  }
  retries_.statement_ended_well();
  // A pause waits for the next call: what is read already is not held up.
  if (!gate_.is_open(choice_.server) || !pacing_.off()) return {};
  if (Status sent = begin_statement(); !sent) postponed_ = std::move(sent).error();
  return {};
}

Status MysqlKeysetReader::recover(Error error) {
  const bool timeout = error.code == "source_timeout";
  if (error.code == "source_schema_changed" && decoder_) return fail(what_changed(std::move(error)));
  if (!timeout && error.code != "source_unavailable") return fail(std::move(error));
  running_ = false;
  if (timeout) return retries_.timed_out(error);  // the connection is as good as before, and so is its transaction
  if (moment_) {
    return fail(snapshot_gone("the session that read it was lost, and no other can read the same: " + error.message));
  }
  connection_.reset();
  choice_.wish.except = choice_.server;
  TRY(const Duration pause, retries_.session_lost(std::move(error), choice_.refused));
  return clock_.sleep_for(pause, stop_) ? Status() : fail(scan_stopped());
}

Error MysqlKeysetReader::what_changed(Error error) {
  if (moment_) return error;
  // A connection in the middle of a statement cannot be asked anything.
  if (running_ || connection_ == nullptr) {
    connection_.reset();
    if (const Status connected = connect(); !connected) return error;
  }
  decoder_.reset();
  running_ = false;
  const Status described = prepare();
  return !described && described.error().code == error.code ? described.error() : error;
}

}  // namespace longshore
