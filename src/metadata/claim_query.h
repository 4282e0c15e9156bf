#pragma once

namespace longshore::claims {

/// What can be claimed now, best first: `job_id` and `kind` (the purposes of claim_guard.h). It is polled by every slot
/// of every worker, so each branch reads a partial index that holds active jobs only.
///
/// Order: the tenant with the fewest claims, then who waits longest. What a cancelled, failed or finished export left
/// in the store goes first, for it is short work that frees space; files past their retention queue by when they fell
/// due, so that thousands which expire at once do not hold up a new export.
inline constexpr char kCandidates[] = R"(
  WITH held(tenant_id, claims) AS (
    SELECT tenant_id, count(*) FROM (
      SELECT j.tenant_id FROM export_job_partitions p JOIN export_jobs j ON j.id = p.job_id WHERE p.status = 'RUNNING'
      UNION ALL
      SELECT tenant_id FROM export_jobs WHERE worker_id IS NOT NULL
    ) AS claimed GROUP BY tenant_id
  ), candidate(job_id, tenant_id, kind, waiting_since) AS (
    SELECT id, tenant_id, 'plan', created_at FROM export_jobs WHERE status = 'QUEUED' AND not_before <= {now}
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
  )
  SELECT c.job_id, c.kind FROM candidate c LEFT JOIN held h ON h.tenant_id = c.tenant_id
  ORDER BY coalesce(h.claims, 0), c.waiting_since, c.job_id LIMIT 16)";

}  // namespace longshore::claims
