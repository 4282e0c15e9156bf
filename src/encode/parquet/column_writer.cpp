#include "parquet/column_writer.h"

#include <utility>

#include "parquet/bloom_filter.h"
#include "parquet/metadata.h"

namespace longshore::parquet {
namespace {

/// Page headers count in 32 bits with a sign.
Status check_page_size(const ParquetColumn& column, std::size_t bytes) {
  if (bytes <= INT32_MAX) return {};
  return fail(user_error("value_too_large", "column '" + column.name +
                                                "' has values that make a Parquet page of more than 2 GiB; export it "
                                                "as CSV or JSON, or leave the column out"));
}

}  // namespace

ColumnWriter::ColumnWriter(const ParquetColumn& column, ColumnContext& context)
    : column_(column),
      context_(context),
      conformer_(column.leaf),
      values_(make_value_writer(column.leaf, context.values)) {
  if (column.list) list_reader_.emplace(column.leaf);
  if (column.bloom_filter) values_->collect_hashes();
}

Status ColumnWriter::append(const ColumnVector& column, ColumnFidelity& fidelity) {
  if (list_reader_) {
    list_reader_->read(column, lists_, fidelity);
    CHECK_OK(values_->append(conformer_.conform(list_reader_->elements(), fidelity)));
  } else {
    const ColumnVector& fitting = conformer_.conform(column, fidelity);
    validity_.append(fitting);
    CHECK_OK(values_->append(fitting));
  }
  if (page_rows() >= kPageRows || values_->page_bytes() >= context_.page_bytes) return close_page(false);
  return {};
}

std::size_t ColumnWriter::held_bytes() const {
  return values_->held_bytes() + lists_.held_bytes() + validity_.held_bytes();
}

Status ColumnWriter::close_page(bool last) {
  PageRecord record;
  record.rows = static_cast<std::int64_t>(page_rows());
  record.values = column_.list ? static_cast<std::int64_t>(lists_.entries()) : record.rows;
  record.nulls = static_cast<std::int64_t>(column_.list ? lists_.nulls() : validity_.nulls());

  ByteBuffer& body = context_.body;
  body.clear();
  if (column_.list) {
    lists_.close_page(body);
  } else {
    validity_.close_page(body);
  }
  const std::size_t begin = body.size();
  TRY(PageValues values, values_->close_page(last, body));
  record.encoding = values.encoding;
  record.bounds = std::move(values.bounds);
  CHECK_OK(check_page_size(column_, body.size()));
  CHECK_OK(compress_page(values, begin));

  ByteBuffer header;
  append_data_page_header(body.size(), context_.compressed.size(), record.values, record.encoding, header);
  PageStore::Place place = context_.pages.append(header.view());
  place.size += context_.pages.append(context_.compressed.view()).size;
  record.bytes = static_cast<std::int64_t>(place.size);
  uncompressed_bytes_ += static_cast<std::int64_t>(header.size() + body.size());
  pages_.push_back({place, std::move(record)});
  return {};
}

Status ColumnWriter::compress_page(const PageValues& values, std::size_t begin) {
  constexpr std::size_t kReadAhead = 8;  // see compress_by_value()
  context_.compressed.clear();
  PageCodec& codec = *context_.values.codec;
  if (values.matching == TextMatching::anywhere) {
    return codec.compress(values.content, context_.body.view(), context_.compressed);
  }
  context_.body.reserve_back(kReadAhead);
  return codec.compress_by_value(context_.body.view(), begin, context_.compressed);
}

Status ColumnWriter::append_dictionary_page(ColumnRecord& record, ByteBuffer& out) {
  const std::size_t values = values_->dictionary_values();
  if (values == 0) return {};
  ByteBuffer& body = context_.body;
  body.clear();
  values_->append_dictionary(body);
  const PageContent content = column_.leaf.stored == Type::byte_array ? PageContent::text : PageContent::numbers;
  CHECK_OK(compress_page({.encoding = Encoding::plain, .content = content, .matching = {}, .bounds = {}}, 0));
  const std::size_t begin = out.size();
  append_dictionary_page_header(body.size(), context_.compressed.size(), values, out);
  uncompressed_bytes_ += static_cast<std::int64_t>(out.size() - begin + body.size());
  out.append(context_.compressed.view());
  record.dictionary_bytes = static_cast<std::int64_t>(out.size() - begin);
  return {};
}

Result<ColumnRecord> ColumnWriter::finish(ByteBuffer& out) {
  if (page_rows() > 0) CHECK_OK(close_page(true));
  ColumnRecord record;
  CHECK_OK(append_dictionary_page(record, out));
  for (StoredPage& page : pages_) {
    context_.pages.copy(page.place, out);
    record.pages.push_back(std::move(page.record));
  }
  record.uncompressed_bytes = std::exchange(uncompressed_bytes_, 0);
  record.bounds = values_->chunk_bounds();
  record.order = values_->boundary_order();
  pages_.clear();
  return record;
}

void ColumnWriter::finish_bloom_filter(ColumnRecord& record, ByteBuffer& out) {
  const std::vector<std::uint64_t> hashes = values_->take_hashes();
  values_->reset();
  if (!column_.bloom_filter) return;
  const std::size_t begin = out.size();
  append_bloom_filter_header(bloom_filter_bytes(hashes.size()), out);
  append_bloom_filter(hashes, out);
  record.bloom_bytes = static_cast<std::int64_t>(out.size() - begin);
}

}  // namespace longshore::parquet
