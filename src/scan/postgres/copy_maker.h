#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "model/export_spec.h"
#include "scan/postgres/connection.h"
#include "scan/postgres/copy_mark.h"

namespace longshore {

/// What a staging schema's tables say of a copy. nullopt: there is no table of that name, or it is not ours.
Result<std::optional<CopyMark>> find_copy(PostgresConnection& connection, const std::string& schema,
                                          const std::string& table, const std::stop_token& stop);

/// The statements that make one copy, on a session that may write. Used once.
class CopyMaker {
 public:
  /// All outlive it. `timeouts`: those of the source's other statements, which hold again at the end.
  CopyMaker(PostgresConnection& connection, const ExportSpec& spec, const Source& source, CopyName name)
      : connection_(connection), spec_(spec), source_(source), name_(std::move(name)) {}

  /// As StagingArea::make_copy(): the moment of the copy that is there afterwards.
  Result<CopyMark> make(const std::stop_token& stop);

 private:
  Status refuse_large(const std::stop_token& stop);
  /// Those of workers that lost the right to make this copy, and may not know it.
  Status end_others(const std::stop_token& stop);
  Status create(const std::stop_token& stop);
  Result<std::string> select() const;
  Error explain(const Error& error, Duration took) const;

  PostgresConnection& connection_;
  const ExportSpec& spec_;
  const Source& source_;
  const CopyName name_;
};

/// `copy 0192f0c4…`: how the sessions that make an export's copy are called; short enough to be told apart from all
/// others when a place's tag has its part of the name, too.
std::string maker_label(const JobId& job);

}  // namespace longshore
