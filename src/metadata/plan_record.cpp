#include "metadata/plan_record.h"

#include <fmt/format.h>

#include "metadata/claim_guard.h"
#include "metadata/records.h"

namespace longshore::plans {

Status check(const JobId& job, std::span<const Partition> partitions) {
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    if (partitions[i].index == static_cast<int>(i)) continue;
    return fail(internal_error(
        "bad_plan", fmt::format("partition {} of export {} has the index {}", i, job.str(), partitions[i].index)));
  }
  return {};
}

Status save(sql::Transaction& transaction, const Claim& claim, std::span<const Partition> partitions,
            std::int64_t part_size, std::int64_t estimated_rows) {
  TRY(const Timestamp now, records::read_now(transaction));
  CHECK_OK(records::insert_partitions(transaction, claim.job, partitions, now));
  CHECK_OK(transaction.execute(R"(
    UPDATE export_jobs SET phase = $2, partition_count = $3, part_size = $4, estimated_rows = $5, attempts = 0,
      not_before = {now}, worker_id = NULL, claimed_for = NULL, error_code = NULL, error_message = NULL,
      source_pressure = ''
    WHERE id = $1)",
                               {claim.job, partitions.empty() ? claims::kAssemble : claims::kExtract, partitions.size(),
                                part_size, estimated_rows}));
  return {};
}

}  // namespace longshore::plans
