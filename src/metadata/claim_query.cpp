#include "metadata/claim_query.h"

#include <string>

namespace longshore::claims {
namespace {

/// A queued job has no `not_before`: it was never tried. Cleaning waits until no partition has a writer.
constexpr char kCandidate[] = R"(
  candidate(job_id, tenant_id, kind, waiting_since) AS (
    SELECT id, tenant_id, 'plan', created_at FROM export_jobs WHERE status = 'QUEUED'
    UNION ALL
    SELECT id, tenant_id, phase, created_at FROM export_jobs
    WHERE status = 'RUNNING' AND phase IN ('plan', 'assemble') AND worker_id IS NULL AND not_before <= {now}
    UNION ALL
    SELECT j.id, j.tenant_id, 'extract', j.created_at FROM export_jobs j
    WHERE j.status = 'RUNNING' AND j.phase = 'extract'
      AND EXISTS (SELECT 1 FROM export_job_partitions p
                  WHERE p.job_id = j.id AND p.status = 'PENDING' AND p.not_before <= {now})
    UNION ALL
    SELECT j.id, j.tenant_id, 'clean', CASE WHEN j.status = 'EXPIRED' THEN j.not_before ELSE {time 0} END
    FROM export_jobs j
    WHERE j.needs_cleaning = 1 AND j.worker_id IS NULL AND j.not_before <= {now}
      AND NOT EXISTS (SELECT 1 FROM export_job_partitions p WHERE p.job_id = j.id AND p.status = 'RUNNING')
  ))";

/// CROSS JOIN: from the few claims to their jobs. Left to itself, SQLite may walk all jobs that ever were instead. That
/// claimed_for is one of its values is true of every claimed job; it tells PostgreSQL, which takes any column to be set
/// until it has statistics, that there are few.
constexpr char kHeld[] = R"(
  held(tenant_id, claims) AS (
    SELECT tenant_id, count(*) FROM (
      SELECT j.tenant_id FROM export_job_partitions p CROSS JOIN export_jobs j
      WHERE p.status = 'RUNNING' AND p.worker_id IS NOT NULL AND j.id = p.job_id
      UNION ALL
      SELECT tenant_id FROM export_jobs WHERE worker_id IS NOT NULL AND claimed_for IN ('plan', 'assemble', 'clean')
    ) AS claimed GROUP BY tenant_id
  ))";

constexpr char kBest[] = R"(
  SELECT c.job_id, c.kind FROM candidate c LEFT JOIN held h ON h.tenant_id = c.tenant_id
  ORDER BY coalesce(h.claims, 0), c.waiting_since, c.job_id LIMIT 16)";

}  // namespace

std::string_view any_candidate() {
  static const std::string kSql = std::string("WITH ") + kCandidate + " SELECT 1 AS found FROM candidate LIMIT 1";
  return kSql;
}

std::string_view best_candidates() {
  static const std::string kSql = std::string("WITH ") + kHeld + "," + kCandidate + kBest;
  return kSql;
}

std::string_view claims_of_the_dead() {
  // Without an ORDER BY: SQLite would walk all partitions that ever were in that order. `IS NOT NULL` is always true of
  // a running partition, and lets the index of these be searched.
  return R"(
  SELECT p.worker_id, p.job_id, p.partition_index, p.epoch FROM export_job_partitions p
  WHERE p.status = 'RUNNING' AND p.worker_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM export_workers w WHERE w.id = p.worker_id AND w.status = 'ALIVE')
  UNION ALL
  SELECT j.worker_id, j.id, -1, j.epoch FROM export_jobs j
  WHERE j.worker_id IS NOT NULL AND j.claimed_for IN ('plan', 'assemble', 'clean') AND NOT EXISTS (
    SELECT 1 FROM export_workers w WHERE w.id = j.worker_id AND w.status = 'ALIVE'))";
}

}  // namespace longshore::claims
