#include "batch/column_vector.h"

namespace longshore {

PhysicalType physical_type(const DataType& type) {
  switch (type.logical) {
    case LogicalType::boolean:
      return PhysicalType::boolean;
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::date:
      return PhysicalType::int32;
    case LogicalType::int64:
    case LogicalType::time:
    case LogicalType::timestamp:
    case LogicalType::timestamptz:
      return PhysicalType::int64;
    case LogicalType::float32:
      return PhysicalType::float32;
    case LogicalType::float64:
      return PhysicalType::float64;
    case LogicalType::decimal: {
      // 38 digits are the most that an Int128 surely holds.
      const bool fits = type.precision >= 1 && type.precision <= 38 && type.scale >= 0 && type.scale <= type.precision;
      return fits ? PhysicalType::decimal128 : PhysicalType::bytes;
    }
    case LogicalType::uuid:
      return PhysicalType::fixed16;
    case LogicalType::text:
    case LogicalType::interval:
    case LogicalType::json:
    case LogicalType::bytea:
    case LogicalType::array:
      return PhysicalType::bytes;
  }
  return PhysicalType::bytes;
}

std::size_t value_width(PhysicalType type) {
  switch (type) {
    case PhysicalType::boolean:
      return 1;
    case PhysicalType::int32:
    case PhysicalType::float32:
      return 4;
    case PhysicalType::int64:
    case PhysicalType::float64:
      return 8;
    case PhysicalType::decimal128:
    case PhysicalType::fixed16:
      return 16;
    case PhysicalType::bytes:
      return 0;
  }
  return 0;
}

ColumnVector::ColumnVector(DataType type) : type_(type), physical_(physical_type(type)) {
  if (physical_ == PhysicalType::bytes) offsets_.push_back(0);
}

void ColumnVector::append_null() {
  if (null_count_ == 0) {
    // The first null: every row before it becomes a set bit, this row's and the unused bits stay clear.
    validity_.assign((size_ >> 3) + 1, 0xFF);
    validity_.back() = static_cast<std::uint8_t>((1U << (size_ & 7)) - 1);
  } else if ((size_ >> 3) == validity_.size()) {
    validity_.push_back(0);
  }
  ++null_count_;

  if (physical_ == PhysicalType::bytes) {
    offsets_.push_back(static_cast<std::int32_t>(values_.size()));
  } else {
    const std::size_t width = value_width(physical_);
    std::memset(values_.reserve_back(width), 0, width);
    values_.grow(width);
  }
  ++size_;
}

void ColumnVector::append_valid_bit() {
  if ((size_ >> 3) == validity_.size()) validity_.push_back(0);
  validity_[size_ >> 3] = static_cast<std::uint8_t>(validity_[size_ >> 3] | (1U << (size_ & 7)));
}

void ColumnVector::clear() {
  size_ = 0;
  null_count_ = 0;
  validity_.clear();
  values_.clear();
  if (physical_ == PhysicalType::bytes) offsets_.resize(1);
}

}  // namespace longshore
