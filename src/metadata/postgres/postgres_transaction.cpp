#include "metadata/postgres/postgres_transaction.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "metadata/dialect.h"

namespace longshore::sql {
namespace {

/// The highest n of `$n`. Text constants in the store's SQL hold no `$` before a digit.
std::size_t count_parameters(std::string_view sql) {
  std::size_t highest = 0;
  for (std::size_t at = 0; (at = sql.find('$', at)) != std::string_view::npos; ++at) {
    std::size_t number = 0;
    std::from_chars(sql.data() + at + 1, sql.data() + sql.size(), number);
    highest = std::max(highest, number);
  }
  return highest;
}

/// The beginning of a statement, for messages.
std::string excerpt(std::string_view sql) {
  std::string text = "run `";
  for (const char c : sql) {
    const bool space = c == ' ' || c == '\n';
    if (space && (text.back() == '`' || text.back() == ' ')) continue;
    if (text.size() == 65) return text + "…`";
    text += space ? ' ' : c;
  }
  return text + "`";
}

}  // namespace

const StatementTexts::Text& StatementTexts::get(std::string_view sql) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = texts_.find(sql); found != texts_.end()) return found->second;
  }
  Text text{expand(dialect_, sql), 0};
  text.parameters = count_parameters(text.sql);
  const std::lock_guard lock(mutex_);
  return texts_.try_emplace(std::string(sql), std::move(text)).first->second;
}

PostgresTransaction::PostgresTransaction(const Shared& shared, Access access,
                                         std::unique_ptr<PostgresConnection> connection)
    : shared_(shared), access_(access), connection_(std::move(connection)) {}

Result<std::unique_ptr<Transaction>> PostgresTransaction::begin(const Shared& shared, Access access) {
  const bool writes = access == Access::write || access == Access::migration;
  TRY(auto connection, shared.pool.acquire(writes ? shared.patience : Duration{}));
  return std::unique_ptr<Transaction>(new PostgresTransaction(shared, access, std::move(connection)));
}

PostgresTransaction::~PostgresTransaction() {
  if (!connection_) return;
  // If the ROLLBACK does not arrive, the session is broken and the pool closes it, which is a rollback too.
  if (begun_ && !ended_ && connection_->usable()) static_cast<void>(connection_->run({{"ROLLBACK", {}}}, "roll back"));
  shared_.pool.release(std::move(connection_));
}

const std::string& PostgresTransaction::preamble() const {
  switch (access_) {
    case Access::lookup:
      return shared_.preambles.lookup;
    case Access::read:
      return shared_.preambles.read;
    case Access::write:
      return shared_.preambles.write;
    case Access::migration:
      break;
  }
  return shared_.preambles.migration;
}

Result<Rows> PostgresTransaction::run(std::string_view sql, std::span<const Param> params) {
  if (!connection_) throw std::logic_error("a statement after the end of its transaction");
  const StatementTexts::Text& text = shared_.texts.get(sql);
  if (text.parameters > params.size()) {
    throw std::logic_error("no value for $" + std::to_string(text.parameters) + " in " + excerpt(sql));
  }
  const Command command{text.sql.c_str(), params.first(text.parameters)};
  const std::string doing = excerpt(sql);
  if (!begun_) return run_first(command, doing);
  if (access_ == Access::lookup) throw std::logic_error("a lookup of more than one statement: " + doing);
  TRY(auto answers, connection_->run({command}, doing));
  return std::move(answers.back());
}

Result<Rows> PostgresTransaction::run_first(const Command& command, std::string_view doing) {
  begun_ = true;
  const char* settings = preamble().c_str();
  if (access_ == Access::lookup) {
    ended_ = true;  // with its only statement
    TRY(auto answers,
        preamble().empty() ? connection_->run({command}, doing) : connection_->run({{settings, {}}, command}, doing));
    return std::move(answers.back());
  }
  const char* begin = access_ == Access::read ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                                              : "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
  TRY(auto answers, connection_->run({{begin, {}}, {settings, {}}, command}, doing));
  if (access_ != Access::read) id_ = answers[1][0].text("id");
  return std::move(answers.back());
}

Status PostgresTransaction::commit() {
  if (!begun_ || ended_) return {};
  ended_ = true;
  auto done = connection_->run({{"COMMIT", {}}}, "commit");
  if (done) {
    // What the server answers to the COMMIT of a transaction in which a statement has failed.
    if (connection_->last_tag() == "COMMIT") return {};
    return fail(internal_error(kStatement, "a transaction was committed after one of its statements had failed"));
  }
  if (done.error().code != kDisconnected || access_ == Access::read) return fail(std::move(done).error());
  return settle(std::move(done).error());
}

/// The answer to the COMMIT is lost. The server remembers what became of a transaction, so it is asked, by its id.
/// (A primary that took over without having received the transaction does not know the id, or has given it to another
/// one. The latter can only follow the loss of transactions that were answered, which is what asynchronous replication
/// means.)
Status PostgresTransaction::settle(Error error) {
  shared_.pool.release(std::move(connection_));
  const std::string question = "SELECT pg_xact_status('" + id_ + "'::xid8) AS status";
  const auto until = std::chrono::steady_clock::now() + shared_.patience;
  while (std::chrono::steady_clock::now() < until) {
    auto connection = shared_.pool.acquire(shared_.patience);
    if (!connection) break;
    auto answer = (*connection)->run({{question.c_str(), {}}}, "ask for a transaction");
    shared_.pool.release(*std::move(connection));
    if (!answer) {
      if (answer.error().code == kDisconnected) continue;
      break;
    }
    const std::string status = answer->back()[0].text("status");
    if (status == "committed") return {};
    if (status == "aborted") return fail(std::move(error));  // kDisconnected: nothing was changed
    if (status.empty()) break;                               // too long ago
    // The server has not noticed yet that the session is gone, or is still at it.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return fail(external_error(kUnavailable, std::move(error.message) +
                                               "; whether the change was kept is not known, since the server could not "
                                               "be asked"));
}

}  // namespace longshore::sql
