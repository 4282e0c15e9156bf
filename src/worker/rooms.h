#pragma once

#include "assemble/manifest_key.h"
#include "base/clock.h"
#include "base/memory_budget.h"
#include "dispatch/work_signal.h"
#include "encode/encoder.h"
#include "metadata/job_store.h"
#include "metadata/snapshot_store.h"
#include "plan/export_plan.h"
#include "scan/source_table.h"
#include "storage/object_store.h"
#include "telemetry/metrics.h"

namespace longshore {

/// All that the work on an export touches. References outlive the worker; everything behind them is thread-safe.
struct WorkerRooms {
  WorkQueue& queue;
  JobStore& jobs;
  ObjectStore& store;
  const FormatTable& formats;
  const SourceTable& sources;
  WorkSignal& signal;
  MemoryBudget& memory;
  Metrics& metrics;
  Clock& clock;
  const ManifestKey& manifest_key;
  PlanPolicy plan;
  SnapshotStore& snapshots;
};

}  // namespace longshore
