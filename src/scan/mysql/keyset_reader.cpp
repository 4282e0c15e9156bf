#include "scan/mysql/keyset_reader.h"

#include <algorithm>
#include <utility>

#include "scan/mysql/key_query.h"
#include "scan/mysql/schema_reader.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"
#include "telemetry/log.h"

namespace longshore {

namespace {

constexpr int kMaxFailures = 5;
constexpr int kMaxTimeoutsAtSmallest = 2;
constexpr std::int64_t kSmallestLimit = 100;
constexpr std::chrono::milliseconds kFirstPause{50};
constexpr std::chrono::milliseconds kLongestPause{2000};

}  // namespace

MysqlKeysetReader::MysqlKeysetReader(std::shared_ptr<const MysqlServers> servers, ScanRequest request,
                                     std::stop_token stop)
    : servers_(std::move(servers)),
      request_(std::move(request)),
      stop_(std::move(stop)),
      gate_(servers_->gate(request_.pressure)),
      after_(request_.range.after),
      limit_(std::clamp(servers_->source().batch_rows, 1, 10'000)),
      done_(request_.range.empty) {}

Result<bool> MysqlKeysetReader::next(RowBatch& batch) {
  batch.clear();
  if (stop_.stop_requested()) return fail(scan_stopped());
  waiting_since_ = clock_.steady_now();
  while (!done_ && !batch.full(request_.batch)) {
    if (postponed_) CHECK_OK(recover(*std::exchange(postponed_, std::nullopt)));
    Status step = running_ ? read_rows(batch) : begin_statement();
    if (step && running_ && statement_rows_ == statement_limit_) step = finish_statement();
    if (!step) CHECK_OK(recover(std::move(step).error()));
  }
  if (running_) busy_ += std::chrono::duration_cast<Duration>(clock_.steady_now() - waiting_since_);
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
  sql += order_ + " LIMIT " + std::to_string(limit_);
  statement_rows_ = 0;
  statement_limit_ = limit_;
  busy_ = Duration::zero();
  waiting_since_ = clock_.steady_now();
  CHECK_OK(connection_->send(sql, stop_));
  running_ = true;
  return {};
}

Status MysqlKeysetReader::hold_back() {
  if (connection_ != nullptr) {
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
  if (request_.pressure != nullptr) request_.pressure->set(paced_text(servers_->source().name, pacer.share()));
  if (!clock_.sleep_for(wait, stop_)) return fail(scan_stopped());
  // The server may have fallen behind meanwhile.
  return connection_ == nullptr || gate_.is_open(server_) ? Status() : hold_back();
}

void MysqlKeysetReader::account() {
  ended_at_ = clock_.steady_now();
  if (!turn_.expected) return;
  busy_ += std::chrono::duration_cast<Duration>(ended_at_ - waiting_since_);
  servers_->pacer().finish(turn_, busy_, baseline_.slowdown(ended_at_, busy_, statement_rows_));
}

Status MysqlKeysetReader::may_serve() {
  const Source& source = servers_->source();
  if (!servers_->is_primary(server_) || source.primary_max_rows == kAnyRows) return {};
  TRY(MysqlKeyQuery query, MysqlKeyQuery::make(*connection_, *request_.spec, stop_));
  TRY(const std::int64_t rows, query.estimated_rows(query.where()));
  if (rows < source.primary_max_rows) return {};
  return fail(primary_refused(source.name, rows, source.primary_max_rows, !source.replicas.empty()));
}

Status MysqlKeysetReader::connect() {
  if (!slot_ || slot_.lost()) {
    slot_ = ConnectionSlot();
    TRY(slot_, servers_->acquire_slot(stop_));
    use_ = servers_->use(stop_);
  }
  while (true) {
    TRY(server_, gate_.choose(wish_, stop_));
    TRY(connection_, servers_->connect(server_, request_.label, stop_, slot_));
    const Status served = may_serve();
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

Status MysqlKeysetReader::prepare() {
  const ExportSpec& spec = *request_.spec;
  auto described = read_columns(*connection_, spec.dataset.relation, stop_);
  if (!described) {
    if (described.error().code != "relation_not_found") return fail(std::move(described).error());
    return fail(source_schema_changed("relation " + spec.dataset.relation +
                                      " is not in the database any more, or may not be seen"));
  }
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
  decoder_.emplace(std::move(wire), spec.columns.size(), servers_->address(server_).zero_dates_are_null);
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
      account();
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
    failures_ = 0;
    timeouts_ = 0;
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
  account();
  if (request_.range.upto && *after_ == *request_.range.upto) {
    done_ = true;
    return {};
  }
  // After a timeout the statements grow back to their full size.
  limit_ = std::min<std::int64_t>(limit_ * 2, std::clamp(servers_->source().batch_rows, 1, 10'000));
  // A pause waits for the next call: what is read already is not held up.
  if (!gate_.is_open(server_) || !servers_->pacer().off()) return {};
  if (Status sent = begin_statement(); !sent) postponed_ = std::move(sent).error();
  return {};
}

Status MysqlKeysetReader::recover(Error error) {
  const bool timeout = error.code == "source_timeout";
  if (error.code == "source_schema_changed" && decoder_) return fail(what_changed(std::move(error)));
  if (!timeout && error.code != "source_unavailable") return fail(std::move(error));
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

Error MysqlKeysetReader::what_changed(Error error) {
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
