#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/job.h"
#include "scan/staging_area.h"

/// How copies are told from other people's tables: by a name that says whose they are, and by a comment that says it
/// again in full. Only what has both is ours.
namespace longshore {

/// What every copy's table is called first.
inline constexpr std::string_view kCopyPrefix = "longshore_";

/// `longshore_1f3a5c7e_0192f0c4…_0`: deployment (its first eight digits), export, attempt; 53 bytes, of the 63 that
/// PostgreSQL keeps of a name.
std::string copy_table(const CopyName& name);

/// What the comment says: whose copy it is, and of which moment.
struct CopyMark {
  CopyName name;
  ExportSnapshot moment;  ///< without id and server, which are known to whoever finds the table
};

/// One line of `key=value` words, and a sentence for people.
std::string to_comment(const CopyMark& mark);
/// nullopt: it is no comment of ours, or not of the table called `table`.
std::optional<CopyMark> parse_mark(std::string_view comment, std::string_view table);

}  // namespace longshore
