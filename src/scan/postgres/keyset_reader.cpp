#include "scan/postgres/keyset_reader.h"

#include <algorithm>
#include <utility>

#include "scan/postgres/keyset_query.h"
#include "scan/postgres/primary_rule.h"
#include "scan/postgres/schema_reader.h"
#include "scan/postgres/snapshot.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"
#include "telemetry/log.h"

namespace longshore {

namespace {

/// In a row, with not one row in between; every server gets two chances at least.
constexpr int kMaxFailures = 5;
/// Of a scan that makes progress. One is earned back by a full statement's worth of rows.
constexpr int kRetryBudget = 20;
constexpr int kMaxTimeoutsAtSmallest = 2;
constexpr std::int64_t kSmallestLimit = 100;
/// After a timeout statements grow again, so slowly that few of them time out where the smaller ones are right.
constexpr int kGoodStatementsToGrow = 8;
constexpr std::chrono::milliseconds kFirstPause{50};
constexpr std::chrono::milliseconds kLongestPause{2000};

/// The snapshot that a scan reads may itself be what holds up its server's replay. A scan that never went on would then
/// wait for itself, so it waits this long and reads on.
constexpr Duration kPinnedPause = std::chrono::seconds{30};
/// How long a keeper may be missing: a lease, the import of the next one, and room.
constexpr std::chrono::seconds kUnkept{60};
constexpr std::chrono::milliseconds kUnkeptPause{200};

std::int64_t full_limit(const Source& source) {
  return std::clamp(source.batch_rows, 1, 10'000);
}

}  // namespace

PostgresKeysetReader::PostgresKeysetReader(std::shared_ptr<const PostgresServers> servers, ScanRequest request,
                                           std::stop_token stop)
    : servers_(std::move(servers)),
      request_(std::move(request)),
      stop_(std::move(stop)),
      gate_(servers_->gate(request_.pressure)),
      after_(request_.range.after),
      limit_(full_limit(servers_->source())),
      done_(request_.range.empty),
      budget_(kRetryBudget, full_limit(servers_->source())) {}

Result<bool> PostgresKeysetReader::next(RowBatch& batch) {
  batch.clear();
  if (stop_.stop_requested()) return fail(scan_stopped());
  waiting_since_ = clock_.steady_now();
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
  if (running_) busy_ += std::chrono::duration_cast<Duration>(clock_.steady_now() - waiting_since_);
  if (batch.row_count() == 0) return false;
  CHECK_OK(remember_position());
  batch.set_last_key(*after_);
  return true;
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
  sql += order_ + " LIMIT " + std::to_string(limit_) + ") TO STDOUT (FORMAT ";
  sql += decoder_->format() == CopyFormat::binary ? "binary)" : "text)";
  statement_rows_ = 0;
  statement_limit_ = limit_;
  decoder_->begin();
  busy_ = Duration::zero();
  waiting_since_ = sent_at_ = clock_.steady_now();
  CHECK_OK(connection_->send_copy(sql, stop_));
  running_ = true;
  return {};
}

Status PostgresKeysetReader::hold_back() {
  if (connection_ != nullptr && request_.snapshot != nullptr) {
    CHECK_OK(hold_back_pinned());
  } else if (connection_ != nullptr) {
    TRY(const std::size_t server, gate_.pass(server_, stop_));
    if (server != server_) {
      log_info("a scan leaves a server",
               {{"scan", request_.label}, {"server", servers_->name(server_)}, {"for", servers_->name(server)}});
      connection_.reset();
    }
  }
  Pacer& pacer = servers_->pacer();
  turn_ = {};
  if (pacer.off()) return {};
  turn_ = pacer.take_turn();
  const auto since_end = std::chrono::duration_cast<Duration>(clock_.steady_now() - ended_at_);
  const Duration wait = std::max(turn_.wait, pacer.pause() - since_end);
  if (wait <= Duration::zero()) {
    if (request_.pressure != nullptr) request_.pressure->clear();
    return {};
  }
  CHECK_OK(take_pause(wait));
  // The server may have fallen behind meanwhile.
  const bool open =
      connection_ == nullptr || gate_.is_open(server_) || (request_.snapshot != nullptr && waited_enough_);
  return open ? Status() : hold_back();
}

Status PostgresKeysetReader::take_pause(Duration wait) {
  if (request_.pressure != nullptr) {
    request_.pressure->set(paced_text(servers_->source().name, servers_->pacer().share()));
  }
  return clock_.sleep_for(wait, stop_) ? Status() : fail(scan_stopped());
}

bool PostgresKeysetReader::is_free() {
  return (gate_.is_open(server_) || waited_enough_) && servers_->pacer().off();
}

Status PostgresKeysetReader::hold_back_pinned() {
  if (gate_.is_open(server_)) {
    waited_enough_ = false;
    return {};
  }
  if (waited_enough_) return {};
  ServerGate gate = servers_->gate(request_.pressure, std::min(kPinnedPause, servers_->source().max_pause));
  Status waited = gate.wait_for(server_, stop_);
  if (waited || waited.error().code != "source_paused") return waited;
  log_warn("a scan of a snapshot goes on though its server lags: the snapshot may be what holds it up",
           {{"scan", request_.label}, {"server", servers_->name(server_)}});
  waited_enough_ = true;
  return {};
}

Status PostgresKeysetReader::connect_pinned() {
  TRY(server_, server_of(*servers_, *request_.snapshot));
  TRY(connection_, servers_->connect(server_, request_.label, stop_, slot_));
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
  while (true) {
    TRY(server_, gate_.choose(wish_, stop_));
    TRY(connection_, servers_->connect(server_, request_.label, stop_, slot_));
    const Status served = may_serve(*servers_, server_, *connection_, *request_.spec, stop_);
    if (served) {
      wish_.except.reset();
      return {};
    }
    connection_.reset();
    if (served.error().code != "primary_refused" || !served.error().retriable) return fail(served.error());
    // A replica may still come back; the failures until then are counted.
    refused_ = served.error();
    wish_.primary = false;
  }
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
    failures_ = timeouts_ = 0;
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
  account();
  if (request_.range.upto && *after_ == *request_.range.upto) {
    done_ = true;
    return {};
  }
  budget_.earn(statement_rows_);
  if (limit_ < full_limit(servers_->source()) && ++good_statements_ >= kGoodStatementsToGrow) {
    limit_ = std::min(limit_ * 2, full_limit(servers_->source()));
    good_statements_ = 0;
  }
  // A pause waits for the next call: what is read already is not held up.
  if (!is_free()) return {};
  if (Status sent = begin_statement(); !sent) postponed_ = std::move(sent).error();
  return {};
}

void PostgresKeysetReader::account() {
  ended_at_ = clock_.steady_now();
  if (!turn_.expected) return;
  busy_ += std::chrono::duration_cast<Duration>(ended_at_ - waiting_since_);
  servers_->pacer().finish(turn_, busy_, baseline_.slowdown(ended_at_, busy_, statement_rows_));
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
  const auto ran = clock_.steady_now() - sent_at_;
  if (error.code == "source_timeout" && ran * 5 >= servers_->source().statement_timeout * 4) {
    return recover_from_timeout(error);
  }
  if (conflict) make_smaller();
  connection_.reset();
  const int allowed = std::max(kMaxFailures, static_cast<int>(servers_->count()) * 2);
  if (++failures_ > allowed || !budget_.spend()) {
    const std::string gave_up = "gave up after " + std::to_string(failures_) + " attempts";
    if (refused_) return fail(std::move(*refused_).with_context(gave_up + ": " + error.message));
    return fail(std::move(error).with_context(gave_up));
  }
  wish_.except = server_;
  // Another server may answer at once; a pause is due when all were tried.
  if (static_cast<std::size_t>(failures_) % servers_->count() != 0) return {};
  const int round = failures_ / static_cast<int>(servers_->count());
  const auto pause = std::min(kLongestPause, kFirstPause * (1 << std::min(round - 1, 10)));
  if (!clock_.sleep_for(pause, stop_)) return fail(scan_stopped());
  return {};
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

Status PostgresKeysetReader::recover_from_timeout(const Error& error) {
  if (limit_ <= kSmallestLimit && ++timeouts_ > kMaxTimeoutsAtSmallest) {
    return fail(source_timeout("source " + servers_->source().name + ": even " + std::to_string(limit_) +
                               " rows take longer than the statement timeout; is there an index on the tenant and "
                               "the key? " +
                               error.message));
  }
  make_smaller();
  // The connection is as good as before, but a snapshot's transaction has ended.
  if (request_.snapshot != nullptr) connection_.reset();
  return {};
}

void PostgresKeysetReader::make_smaller() {
  limit_ = std::max(std::min(limit_, kSmallestLimit), limit_ / 2);
  good_statements_ = 0;
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
