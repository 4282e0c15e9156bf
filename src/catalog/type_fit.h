#pragma once

#include "model/data_type.h"
#include "model/dataset.h"

namespace longshore {

/// Whether a column that the database holds as `actual` can be exported as `declared` without loss: the same type, a
/// wider one, or text. SQLite has few types, so there its text may be declared as what it spells.
bool type_fits(const DataType& declared, const DataType& actual, SourceDriver driver);

/// As type_fits, for a column that is compared in the database (key, tenant, time): as text it would sort and match
/// differently from what it is.
bool type_fits_comparison(const DataType& declared, const DataType& actual, SourceDriver driver);

}  // namespace longshore
