#pragma once

#include <string>
#include <vector>

#include "model/export_spec.h"

namespace longshore {

/// The cell formats of a workbook: indexes into `cellXfs` of its styles.xml. A pure function of the exported columns,
/// so encoders and frame agree. Decimals have a format each for the scales that occur, no other: Excel lists custom
/// formats to its users.
class CellStyles {
 public:
  static constexpr int kGeneral = 0;
  static constexpr int kHeader = 1;
  static constexpr int kInteger = 2;  ///< all digits, where General would go over to 1.2E+14
  static constexpr int kDate = 3;
  static constexpr int kTimestamp = 4;
  static constexpr int kTimestampFraction = 5;  ///< with milliseconds: Excel shows no more
  static constexpr int kTime = 6;
  static constexpr int kTimeFraction = 7;

  explicit CellStyles(const std::vector<Column>& columns);

  /// The style of a number with `scale` fractional digits.
  int decimal(int scale) const;
  /// The whole part xl/styles.xml.
  std::string styles_xml() const;

 private:
  std::vector<int> scales_;  ///< ascending; style kFirstDecimal and up
};

}  // namespace longshore
