#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace longshore {

/// Whose fault an error is, which decides what a seam does with it: tell the user, fail the job, or try again.
enum class ErrorSource {
  user,      ///< the request, catalog or configuration is wrong; trying again cannot help
  internal,  ///< a bug of ours or a broken invariant
  external,  ///< a database, store, network or disk failed
};

/// One finding of many, e.g. one bad field of a request or one bad line of a catalog.
struct ErrorDetail {
  std::string where;    ///< JSON pointer (requests) or `file:line:column` (files)
  std::string code;     ///< stable snake_case name, e.g. `unknown_column`
  std::string message;  ///< what is wrong and what to do
};

/// An expected failure. Exceptions are for bugs and allocation failure only.
struct Error {
  ErrorSource source = ErrorSource::internal;
  std::string code;        ///< stable snake_case name; part of the API (`error.code`)
  bool retriable = false;  ///< the same call may succeed later
  std::string message;     ///< what, where, and what to do
  std::vector<ErrorDetail> details;

  /// The same error with `context` put before its message: `context: message`.
  Error with_context(std::string_view context) &&;
};

Error user_error(std::string code, std::string message);
Error internal_error(std::string code, std::string message);
/// A failure outside this process; `retriable` unless said otherwise.
Error external_error(std::string code, std::string message, bool retriable = true);

}  // namespace longshore
