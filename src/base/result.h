#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"

namespace longshore {

/// The one result type: a value or an `Error`. It has the interface of C++23's std::expected, which replaces it the
/// day the compilers of the supported systems have it; nothing but this file names the library.
template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// What a function returns to fail: `return fail(user_error("bad_range", "…"));`
inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace longshore

#define LONGSHORE_CONCAT_(a, b) a##b
#define LONGSHORE_CONCAT(a, b) LONGSHORE_CONCAT_(a, b)
// NOLINTBEGIN(bugprone-macro-parentheses): declarations and statements cannot be put in parentheses.
#define LONGSHORE_TRY_(result, declaration, expression)             \
  auto result = (expression);                                       \
  if (!result) return ::longshore::fail(std::move(result).error()); \
  declaration = *std::move(result)

/// `TRY(auto rows, source.read());` declares `rows`, or returns the error of the expression from this function.
#define TRY(declaration, expression) LONGSHORE_TRY_(LONGSHORE_CONCAT(try_result_, __LINE__), declaration, expression)

/// `CHECK_OK(store.commit());` returns the error of a `Status` from this function, if it has one.
#define CHECK_OK(expression)                                                                                  \
  do {                                                                                                        \
    if (auto try_status = (expression); !try_status) return ::longshore::fail(std::move(try_status).error()); \
  } while (false)
// NOLINTEND(bugprone-macro-parentheses)
