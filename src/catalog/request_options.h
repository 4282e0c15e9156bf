#pragma once

#include <cstddef>

#include "catalog/request_fields.h"

namespace longshore {

inline constexpr std::size_t kMaxTitle = 200;     ///< characters
inline constexpr std::size_t kMaxSheetName = 31;  ///< UTF-16 units, as Excel counts

/// Reads how the file shall look: the title, the time zone, and the objects `csv`, `parquet`, `xlsx` and `pdf`, each of
/// which goes with its format alone. What is wrong goes to the findings.
class RequestOptions {
 public:
  /// Everything given outlives the reader.
  RequestOptions(const RequestFields& request, RequestFindings& findings) : request_(request), findings_(findings) {}

  /// Fills the options of `spec`. REQUIRES: its columns and format are set, as far as the request is right about them.
  void read(ExportSpec& spec);

 private:
  /// The object of a format's options, or nullptr. A finding when `spec` asks for another format.
  const JsonValue* options_of(const ExportSpec& spec, const char* format);

  void read_title(ExportSpec& spec);
  void read_time_zone(ExportSpec& spec);
  void read_csv(ExportSpec& spec);
  void read_parquet(ExportSpec& spec);
  void read_bloom_filters(const RequestFields& parquet, ExportSpec& spec);
  void read_xlsx(ExportSpec& spec);
  void read_pdf(ExportSpec& spec);

  const RequestFields& request_;
  RequestFindings& findings_;
};

}  // namespace longshore
