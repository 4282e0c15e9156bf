#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "scan/row_source.h"

namespace longshore {

/// The databases that exports read from, by the source's name in the catalog. Filled once, in app/; then read by any
/// number of threads.
class SourceTable {
 public:
  void add(const std::string& name, std::unique_ptr<SourceDatabase> source) { sources_[name] = std::move(source); }

  /// Errors: `source_unknown` (the catalog no longer has it).
  Result<SourceDatabase*> find(const std::string& name) const {
    const auto found = sources_.find(name);
    if (found != sources_.end()) return found->second.get();
    return fail(external_error("source_unknown", "the catalog has no source named " + name + " any more", false));
  }

  const std::map<std::string, std::unique_ptr<SourceDatabase>>& all() const { return sources_; }

 private:
  std::map<std::string, std::unique_ptr<SourceDatabase>> sources_;
};

}  // namespace longshore
