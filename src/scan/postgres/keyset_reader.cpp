#include "scan/postgres/keyset_reader.h"

#include <algorithm>
#include <utility>

#include "scan/postgres/keyset_query.h"
#include "scan/postgres/schema_reader.h"
#include "scan/postgres/snapshot.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"
#include "telemetry/log.h"

namespace longshore {

namespace {

/// The snapshot that a scan reads may itself be what holds up its server's replay. A scan that never went on would then
/// wait for itself, so it waits this long and reads on.
constexpr Duration kPinnedPause = std::chrono::seconds{30};
/// How long a keeper may be missing: a lease, the import of the next one, and room.
constexpr std::chrono::seconds kUnkept{60};
constexpr std::chrono::milliseconds kUnkeptPause{200};

}  // namespace

PostgresKeysetReader::PostgresKeysetReader(std::shared_ptr<const PostgresServers> servers, ScanRequest request,
                                           std::stop_token stop)
    : servers_(std::move(servers)),
      request_(std::move(request)),
      stop_(std::move(stop)),
      gate_(servers_->gate(request_.pressure)),
      pacing_(servers_->pacer(), servers_->source().name, request_.pressure),
      retries_(servers_->source(), servers_->count()),
      after_(request_.range.after),
      done_(request_.range.empty) {}

Result<bool> PostgresKeysetReader::next(RowBatch& batch) {
  batch.clear();
  if (stop_.stop_requested()) return fail(scan_stopped());
  pacing_.resume();
  while ((!done_ || unproven_) && !batch.full(request_.batch)) {
    if (postponed_) CHECK_OK(recover(*std::exchange(postponed_, std::nullopt)));
    if (done_) {
      if (Status proven = prove(); !proven) CHECK_OK(recover(std::move(proven).error()));
      continue;
    }
    Status step = running_ ? read_rows(batch) : begin_statement();
    if (step && running_ && statement_rows_ == statement_limit_) step = finish_statement();
    if (!step) CHECK_OK(recover(std::move(step).error()));
  }
  if (running_) pacing_.leave();
  const bool any = batch.row_count() > 0;
  if (any) {
    CHECK_OK(remember_position());
    batch.set_last_key(*after_);
  }
  if (done_ && !unproven_) {
    // What becomes of the rows is not this scan's affair: others may have the connection meanwhile.
    servers_->park(choice_.server, std::move(connection_), std::exchange(slot_, {}));
  }
  return any;
}

Status PostgresKeysetReader::begin_statement() {
  CHECK_OK(remember_position());
  CHECK_OK(hold_back());
  if (connection_ == nullptr) CHECK_OK(connect());
  if (!decoder_) CHECK_OK(prepare_decoder());
  std::string sql = "COPY (" + select_;
  if (after_) {
    TRY(const std::string behind, key_condition(request_.spec->dataset, ">", *after_));
    sql += " AND " + behind;
  }
  if (request_.range.upto) {
    TRY(const std::string upto, key_condition(request_.spec->dataset, "<=", *request_.range.upto));
    sql += " AND " + upto;
  }
  sql += order_ + " LIMIT " + std::to_string(retries_.limit()) + ") TO STDOUT (FORMAT ";
  sql += decoder_->format() == CopyFormat::binary ? "binary)" : "text)";
  statement_rows_ = 0;
  statement_limit_ = retries_.limit();
  decoder_->begin();
  pacing_.begin();
  CHECK_OK(connection_->send_copy(sql, stop_));
  running_ = true;
  return {};
}

Status PostgresKeysetReader::hold_back() {
  if (connection_ != nullptr && request_.snapshot != nullptr) {
    CHECK_OK(hold_back_pinned());
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
  const bool open =
      connection_ == nullptr || gate_.is_open(choice_.server) || (request_.snapshot != nullptr && waited_enough_);
  return open ? Status() : hold_back();
}

bool PostgresKeysetReader::is_free() {
  return (gate_.is_open(choice_.server) || waited_enough_) && pacing_.off();
}

Status PostgresKeysetReader::hold_back_pinned() {
  if (gate_.is_open(choice_.server)) {
    waited_enough_ = false;
    return {};
  }
  if (waited_enough_) return {};
  ServerGate gate = servers_->gate(request_.pressure, std::min(kPinnedPause, servers_->source().max_pause));
  Status waited = gate.wait_for(choice_.server, stop_);
  if (waited || waited.error().code != "source_paused") return waited;
  if (request_.pressure != nullptr) request_.pressure->clear();  // it goes on
  log_warn("a scan of a snapshot goes on though its server lags: the snapshot may be what holds it up",
           {{"scan", request_.label}, {"server", servers_->name(choice_.server)}});
  waited_enough_ = true;
  return {};
}

Status PostgresKeysetReader::connect_pinned() {
  TRY(choice_.server, server_of(*servers_, *request_.snapshot));
  TRY(connection_, servers_->connect(choice_.server, request_.label, stop_, slot_));
  CHECK_OK(import_snapshot(*connection_, *request_.snapshot, stop_));
  TRY(unproven_, in_recovery(*connection_, stop_));
  unkept_since_.reset();
  return {};
}

Status PostgresKeysetReader::prove() {
  if (connection_ == nullptr) CHECK_OK(connect());
  CHECK_OK(prove_reading(*connection_, *request_.snapshot, stop_));
  unproven_ = false;
  return {};
}

Status PostgresKeysetReader::connect() {
  if (!slot_ || slot_.lost()) {
    slot_ = ConnectionSlot();
    TRY(slot_, servers_->acquire_slot(stop_));
    use_ = servers_->use(stop_);
  }
  if (request_.snapshot != nullptr) return connect_pinned();
  TRY(connection_, choice_.open(*servers_, gate_, slot_, request_.label, request_.spec, stop_));
  return {};
}

Status PostgresKeysetReader::prepare_decoder() {
  const ExportSpec& spec = *request_.spec;
  auto described = read_columns(*connection_, spec.dataset.relation, stop_);
  if (!described) return fail(relation_gone(std::move(described).error(), spec.dataset.relation));
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
      pacing_.end(statement_rows_);
      servers_->heard();
      done_ = statement_rows_ < statement_limit_;
      return {};
    }
    TRY(const bool row, decoder_->decode(connection_->last_row(), batch));
    if (!row) continue;
    ++statement_rows_;
    position_pending_ = true;
    retries_.row_came();
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
  pacing_.end(statement_rows_);
  servers_->heard();
  if (request_.range.upto && *after_ == *request_.range.upto) {
    done_ = true;
    return {};
  }
  retries_.statement_ended_well();
  // A pause waits for the next call: what is read already is not held up.
  if (!is_free()) return {};
  if (Status sent = begin_statement(); !sent) postponed_ = std::move(sent).error();
  return {};
}

Status PostgresKeysetReader::recover(Error error) {
  const bool conflict = error.code == "source_conflict";
  if (error.code == "source_schema_changed" && decoder_) return fail(what_changed(error));
  if (error.code == "snapshot_gone") return wait_for_keeper(std::move(error));
  if (error.code != "source_timeout" && error.code != "source_unavailable" && !conflict) {
    return fail(std::move(error));
  }
  CHECK_OK(remember_position());
  running_ = false;
  // A statement that ended sooner than its timeout was cancelled by somebody, and a smaller one would be, too.
  if (error.code == "source_timeout" && pacing_.age() * 5 >= servers_->source().statement_timeout * 4) {
    // The connection is as good as before, but a snapshot's transaction has ended.
    if (request_.snapshot != nullptr) connection_.reset();
    return retries_.timed_out(error);
  }
  if (conflict) retries_.make_smaller();
  connection_.reset();
  choice_.wish.except = choice_.server;
  TRY(const Duration pause, retries_.session_lost(std::move(error), choice_.refused));
  return clock_.sleep_for(pause, stop_) ? Status() : fail(scan_stopped());
}

Status PostgresKeysetReader::wait_for_keeper(Error error) {
  CHECK_OK(remember_position());
  running_ = false;
  // Keepers come first: they need a connection to come back.
  connection_.reset();
  slot_ = ConnectionSlot();
  const auto now = clock_.steady_now();
  if (!unkept_since_) unkept_since_ = now;
  if (now - *unkept_since_ > kUnkept) return fail(std::move(error));
  return clock_.sleep_for(kUnkeptPause, stop_) ? Status() : fail(scan_stopped());
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
