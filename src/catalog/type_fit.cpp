#include "catalog/type_fit.h"

#include <optional>

namespace longshore {
namespace {

/// Decimal digits that the integer type can have; nullopt for other types.
std::optional<int> integer_digits(LogicalType type) {
  switch (type) {
    case LogicalType::int16:
      return 5;
    case LogicalType::int32:
      return 10;
    case LogicalType::int64:
      return 19;
    default:
      return std::nullopt;
  }
}

bool fits_decimal(const DataType& declared, const DataType& actual) {
  const auto integer = integer_digits(actual.logical);
  if (!integer && actual.logical != LogicalType::decimal) return false;
  if (declared.precision == 0) return true;
  if (integer) return declared.precision - declared.scale >= *integer;
  if (actual.precision == 0) return false;
  return declared.scale >= actual.scale && declared.precision - declared.scale >= actual.precision - actual.scale;
}

bool fits_float(LogicalType declared, LogicalType actual) {
  if (actual == LogicalType::int16) return true;
  return declared == LogicalType::float64 && (actual == LogicalType::float32 || actual == LogicalType::int32);
}

/// SQLite keeps these as text or integers of any width; reading checks every value.
bool fits_sqlite(LogicalType declared, LogicalType actual) {
  const bool zone_is_a_word = (declared == LogicalType::timestamp && actual == LogicalType::timestamptz) ||
                              (declared == LogicalType::timestamptz && actual == LogicalType::timestamp);
  if (zone_is_a_word) return true;
  if (declared == LogicalType::boolean || integer_digits(declared)) return integer_digits(actual).has_value();
  if (actual != LogicalType::text) return false;
  switch (declared) {
    case LogicalType::uuid:
    case LogicalType::date:
    case LogicalType::time:
    case LogicalType::timestamp:
    case LogicalType::timestamptz:
    case LogicalType::interval:
    case LogicalType::json:
    case LogicalType::decimal:
    case LogicalType::array:
      return true;
    default:
      return false;
  }
}

/// MySQL has no bool and no instant that people use for all times; reading checks every value.
bool fits_mysql(LogicalType declared, const DataType& actual) {
  switch (declared) {
    case LogicalType::boolean:
      return integer_digits(actual.logical).has_value();
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
      return actual.logical == LogicalType::boolean;  // tinyint(1)
    case LogicalType::timestamp:
    case LogicalType::timestamptz:
      return actual.logical == LogicalType::timestamp || actual.logical == LogicalType::timestamptz;
    case LogicalType::interval:
      return actual.logical == LogicalType::time;
    case LogicalType::uuid:
      return actual.logical == LogicalType::text || actual.logical == LogicalType::bytea;
    default:
      return false;
  }
}

}  // namespace

bool type_fits(const DataType& declared, const DataType& actual, SourceDriver driver) {
  if (declared == actual || declared.logical == LogicalType::text) return true;
  if (driver == SourceDriver::sqlite && fits_sqlite(declared.logical, actual.logical)) return true;
  if (driver == SourceDriver::mysql && fits_mysql(declared.logical, actual)) return true;
  switch (declared.logical) {
    case LogicalType::int32:
    case LogicalType::int64:
    case LogicalType::int16: {
      const auto have = integer_digits(actual.logical);
      return have && *have <= *integer_digits(declared.logical);
    }
    case LogicalType::decimal:
      return fits_decimal(declared, actual);
    case LogicalType::float32:
    case LogicalType::float64:
      return fits_float(declared.logical, actual.logical);
    case LogicalType::array:
      return actual.logical == LogicalType::array &&
             type_fits(DataType{.logical = declared.element}, DataType{.logical = actual.element}, driver);
    default:
      return false;
  }
}

bool type_fits_comparison(const DataType& declared, const DataType& actual, SourceDriver driver) {
  if (declared.logical == LogicalType::text && actual.logical != LogicalType::text) return false;
  return type_fits(declared, actual, driver);
}

}  // namespace longshore
