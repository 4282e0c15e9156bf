#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/random.h"
#include "metadata/sql_store.h"

namespace longshore {
namespace {

/// Six of 36 characters: places of different stores that read one database do not share a mark but by a chance of one
/// in two billion.
std::string new_mark() {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string mark = random_bytes(6);
  for (char& c : mark) c = kDigits[static_cast<unsigned char>(c) % kDigits.size()];
  return mark;
}

SourcePlace read_place(const sql::Row& row) {
  return {.source = row.text("source"),
          .place = static_cast<int>(row.integer("place")),
          .mark = row.text("mark"),
          .epoch = row.integer("epoch")};
}

// $1 source, $2 holder, $3 limit, $4 minus the quarantine, $5 lease
constexpr std::string_view kTakeable =
    "source = $1 AND place < $3 AND (holder IS NULL OR expires_at <= {later {now} | $4})";
/// More places can be taken than others have waited for longer. Who has not waited yet comes behind all who do.
constexpr std::string_view kMyTurn = R"(
    (SELECT count(*) FROM source_connections WHERE source = $1 AND place < $3
       AND (holder IS NULL OR expires_at <= {later {now} | $4}))
    > (SELECT count(*) FROM source_waiters w WHERE w.source = $1 AND w.holder <> $2 AND w.expires_at > {now}
         AND NOT coalesce((SELECT m.since FROM source_waiters m WHERE m.source = $1 AND m.holder = $2
                             AND m.expires_at > {now}) <= w.since, false)))";

}  // namespace

Status SqlStore::add_places(const std::string& source, int count) {
  TRY(const bool complete, look_up([&](sql::Transaction& transaction) -> Result<bool> {
        TRY(const sql::Rows rows,
            transaction.query("SELECT count(*) AS places FROM source_connections WHERE source = $1 AND place < $2",
                              {source, count}));
        return rows[0].integer("places") >= count;
      }));
  if (complete) return {};
  return write([&](sql::Transaction& transaction) -> Status {
    for (int place = 0; place < count; ++place) {
      CHECK_OK(transaction.execute(
          "INSERT INTO source_connections (source, place, mark) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
          {source, place, new_mark()}));
    }
    return {};
  });
}

Result<std::optional<TakenPlace>> SqlStore::take_place(const PlaceRequest& request) {
  // Places that others are taking in this instant are passed over. The condition is repeated for the row itself, which
  // may have been taken between the statement's snapshot and its lock.
  static const std::string kTake = fmt::format(R"(
    UPDATE source_connections SET epoch = epoch + 1, expires_at = {{later {{now}} | $5}},
      unproven = CASE WHEN holder IS NULL THEN 0 ELSE 1 END, holder = $2
    WHERE source = $1 AND place = (
      SELECT place FROM source_connections WHERE {0}
      ORDER BY CASE WHEN holder IS NULL THEN 0 ELSE 1 END, place LIMIT 1 {{skip_locked}})
      AND {0} AND {1}
    RETURNING source, place, mark, epoch, unproven)",
                                               kTakeable, kMyTurn);
  return write([&](sql::Transaction& transaction) -> Result<std::optional<TakenPlace>> {
    TRY(const sql::Rows rows,
        transaction.query(kTake, {request.source, request.holder, request.limit, -request.quarantine, request.lease}));
    if (rows.empty()) return std::nullopt;
    if (request.waiting) {
      // In the same transaction: whoever waits next in this process has to begin behind the others.
      CHECK_OK(transaction.execute("DELETE FROM source_waiters WHERE source = $1 AND holder = $2",
                                   {request.source, request.holder}));
    }
    return TakenPlace{.place = read_place(rows[0]), .unproven = rows[0].flag("unproven")};
  });
}

Result<bool> SqlStore::place_in_sight(const PlaceRequest& request) {
  static const std::string kLook = fmt::format("SELECT CASE WHEN {} THEN 1 ELSE 0 END AS turn", kMyTurn);
  return look_up([&](sql::Transaction& transaction) -> Result<bool> {
    TRY(const sql::Rows rows,
        transaction.query(kLook, {request.source, request.holder, request.limit, -request.quarantine}));
    return rows[0].flag("turn");
  });
}

Status SqlStore::wait_for_place(const std::string& source, const std::string& holder, Duration length) {
  return write([&](sql::Transaction& transaction) -> Status {
    // Who let its time run out begins anew.
    CHECK_OK(transaction.execute(R"(
      INSERT INTO source_waiters (source, holder, since, expires_at) VALUES ($1, $2, {now}, {later {now} | $3})
      ON CONFLICT (source, holder) DO UPDATE SET expires_at = excluded.expires_at,
        since = CASE WHEN source_waiters.expires_at > {now} THEN source_waiters.since ELSE excluded.since END)",
                                 {source, holder, length}));
    return {};
  });
}

Status SqlStore::stop_waiting(const std::string& source, const std::string& holder) {
  return write([&](sql::Transaction& transaction) -> Status {
    CHECK_OK(transaction.execute("DELETE FROM source_waiters WHERE source = $1 AND holder = $2", {source, holder}));
    // Those of processes that died while they waited.
    CHECK_OK(transaction.execute("DELETE FROM source_waiters WHERE source = $1 AND expires_at <= {later {now} | $2}",
                                 {source, -Duration(std::chrono::minutes{10})}));
    return {};
  });
}

Result<PlaceRenewal> SqlStore::renew_places(const std::string& holder, Duration lease) {
  return write([&](sql::Transaction& transaction) -> Result<PlaceRenewal> {
    PlaceRenewal renewal;
    TRY(const sql::Rows held, transaction.query(R"(
      UPDATE source_connections SET expires_at = {later {now} | $2} WHERE holder = $1 AND expires_at > {now}
      RETURNING source, place, mark, epoch)",
                                                {holder, lease}));
    for (const sql::Row row : held) renewal.held.push_back(read_place(row));
    TRY(const sql::Rows others, transaction.query(R"(
      SELECT source, place, mark, epoch FROM source_connections WHERE holder IS NOT NULL AND expires_at <= {now}
      UNION ALL
      SELECT source, -1, '', 0 FROM source_waiters WHERE holder <> $1 AND expires_at > {now})",
                                                  {holder}));
    for (const sql::Row row : others) {
      if (row.integer("place") >= 0) {
        renewal.suspects.push_back(read_place(row));
      } else if (std::ranges::find(renewal.waited_for, row.text("source")) == renewal.waited_for.end()) {
        renewal.waited_for.push_back(row.text("source"));
      }
    }
    return renewal;
  });
}

Status SqlStore::return_places(const std::string& holder, const std::vector<ReturnedPlace>& places) {
  return write([&](sql::Transaction& transaction) -> Status {
    for (const ReturnedPlace& returned : places) {
      const SourcePlace& place = returned.place;
      CHECK_OK(transaction.execute(
          returned.clean ? "UPDATE source_connections SET holder = NULL, expires_at = NULL "
                           "WHERE source = $1 AND place = $2 AND epoch = $3 AND holder = $4"
                         : "UPDATE source_connections SET expires_at = {now} "
                           "WHERE source = $1 AND place = $2 AND epoch = $3 AND holder = $4 AND expires_at > {now}",
          {place.source, place.place, place.epoch, holder}));
    }
    return {};
  });
}

Status SqlStore::clear_suspects(const std::vector<SourcePlace>& places) {
  return write([&](sql::Transaction& transaction) -> Status {
    for (const SourcePlace& place : places) {
      CHECK_OK(
          transaction.execute("UPDATE source_connections SET holder = NULL, expires_at = NULL "
                              "WHERE source = $1 AND place = $2 AND epoch = $3 AND expires_at <= {now}",
                              {place.source, place.place, place.epoch}));
    }
    return {};
  });
}

}  // namespace longshore
