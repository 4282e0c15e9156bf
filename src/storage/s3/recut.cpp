#include "s3/recut.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "s3/encryption.h"
#include "storage/multipart_rules.h"

namespace longshore::s3 {
namespace {

constexpr std::string_view kMagic = "longshore-recut-1\n";

/// GET of a range, for the marker. Fewer bytes at the object's end.
Result<std::string> read_range(Client& client, const std::string& key, std::int64_t offset, std::int64_t length) {
  ByteBuffer out;
  Call call{.operation = "GetObject", .method = "GET", .key = key};
  call.headers = encryption_headers(client.options().encryption, EncryptionPoint::access);
  call.headers.emplace_back("Range", fmt::format("bytes={}-{}", offset, offset + length - 1));
  call.sink = &out;
  call.max_sink = static_cast<std::size_t>(length);
  TRY(const HttpResponse response, client.expect(call));
  return std::string(out.view());
}

/// CompleteMultipartUpload with all parts that there are. Tried again by repeating the whole completion.
Status complete_with(Client& client, const UploadRef& upload, std::span<const PartReceipt> parts) {
  const std::string document = complete_document(parts);
  Call call{
      .operation = "CompleteMultipartUpload", .method = "POST", .key = upload.key, .query = {{"uploadId", upload.id}}};
  call.headers = {{"Content-Type", "application/xml"}};
  call.body = document;
  call.patience = Patience::long_;
  call.body_may_refuse = true;
  CHECK_OK(client.expect(call));
  return {};
}

Error in_flux(const UploadRef& upload) {
  return external_error("store_unavailable", fmt::format("{} changes while it is completed; try again", upload.key));
}

}  // namespace

Recut::Recut(Client& client, const UploadRef& upload, std::span<const PartReceipt> parts)
    : client_(client), upload_(upload), parts_(parts) {}

std::string Recut::marker(const std::vector<Piece>& pieces) const {
  std::string text = fmt::format("{}{}\n{}\n", kMagic, upload_.id, pieces.size());
  for (const Piece& piece : pieces) text += fmt::format("{} {}\n", piece.wanted ? '+' : '-', piece.size);
  text.resize(kMinPartBytes, '\0');
  return text;
}

std::optional<std::vector<Recut::Piece>> Recut::read_marker(std::string_view text) const {
  const auto line = [&]() -> std::string_view {
    const auto end = text.find('\n');
    const std::string_view out = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return out;
  };
  const auto number = [](std::string_view digits) {
    std::int64_t value = -1;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  };
  if (!text.starts_with(kMagic)) return std::nullopt;
  text.remove_prefix(kMagic.size());
  if (line() != upload_.id) return std::nullopt;
  const std::int64_t count = number(line());
  if (count < 1 || count > kMaxPartNumber) return std::nullopt;
  std::vector<Piece> pieces;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string_view entry = line();
    if (entry.size() < 3) return std::nullopt;
    pieces.push_back({number(entry.substr(2)), entry.front() == '+'});
  }
  // The caller's parts are the truth; a marker that says otherwise is not of this completion.
  std::size_t wanted = 0;
  for (const Piece& piece : pieces) {
    if (piece.size < 0) return std::nullopt;
    if (!piece.wanted) continue;
    if (wanted == parts_.size() || parts_[wanted].bytes != piece.size) return std::nullopt;
    ++wanted;
  }
  return wanted == parts_.size() ? std::optional(std::move(pieces)) : std::nullopt;
}

Result<ObjectInfo> Recut::begin(const std::vector<PartInfo>& listed) {
  std::vector<Piece> pieces;
  for (const PartInfo& part : listed) {
    const auto receipt = std::ranges::find(parts_, part.number, &PartReceipt::number);
    const bool wanted = receipt != parts_.end();
    const bool last = part.number == listed.back().number;
    if (wanted && !last && part.size < kMinPartBytes) {
      return fail(
          part_mismatch(upload_, *receipt,
                        fmt::format("the upload also holds part {}, which is not part of the file; this store does "
                                    "not complete uploads without all their parts, and a part under 5 MiB "
                                    "cannot stand before others. The export must begin anew",
                                    listed.back().number)));
    }
    pieces.push_back({part.size, wanted});
  }
  const auto first = std::ranges::find(pieces, false, &Piece::wanted) - pieces.begin();
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool is_marker = static_cast<std::ptrdiff_t>(i) == first;
    const bool last = i + 1 == pieces.size();
    if (is_marker || (!pieces[i].wanted && !last && pieces[i].size < kMinPartBytes)) pieces[i].size = kMinPartBytes;
  }

  std::vector<PartReceipt> all;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool is_marker = static_cast<std::ptrdiff_t>(i) == first;
    if (!is_marker && pieces[i].size == listed[i].size) {
      all.push_back({listed[i].number, listed[i].etag, listed[i].size});
      continue;
    }
    const std::string filling = is_marker ? marker(pieces) : std::string(kMinPartBytes, '\0');
    TRY(PartReceipt receipt, upload_part(client_, upload_, listed[i].number, filling, {}));
    all.push_back(std::move(receipt));
  }
  CHECK_OK(complete_with(client_, upload_, all));
  TRY(const std::optional<HeadAnswer> whole, head_object(client_, upload_.key));
  if (!whole || whole->info.size != total_bytes(all)) return fail(in_flux(upload_));
  return copy_wanted(*whole, pieces);
}

Result<std::optional<ObjectInfo>> Recut::resume(const HeadAnswer& object) {
  // The marker stands where the first unwanted part was: after none, or some, of the wanted ones.
  std::int64_t offset = 0;
  for (std::size_t before = 0; before <= parts_.size() && offset < object.info.size; ++before) {
    TRY(const std::string begins, read_range(client_, upload_.key, offset, std::ssize(kMagic)));
    if (begins == kMagic) {
      TRY(const std::string text, read_range(client_, upload_.key, offset, kMinPartBytes));
      const auto pieces = read_marker(text);
      if (!pieces) return std::optional<ObjectInfo>();
      TRY(ObjectInfo cut, copy_wanted(object, *pieces));
      return std::optional(std::move(cut));
    }
    if (before < parts_.size()) offset += parts_[before].bytes;
  }
  return std::optional<ObjectInfo>();
}

Result<ObjectInfo> Recut::copy_wanted(const HeadAnswer& whole, const std::vector<Piece>& pieces) {
  TRY(const UploadRef second, begin_upload(client_, upload_.key, whole.content_type));
  std::vector<PartReceipt> copied;
  std::int64_t offset = 0;
  for (const Piece& piece : pieces) {
    if (piece.wanted) {
      const int number = static_cast<int>(copied.size()) + 1;
      TRY(PartReceipt receipt, copy_part(client_, second, number, whole.info.etag, offset, piece.size));
      copied.push_back(std::move(receipt));
    }
    offset += piece.size;
  }
  CHECK_OK(complete_with(client_, second, copied));
  TRY(const std::optional<HeadAnswer> made, head_object(client_, upload_.key));
  if (!made || made->info.size != total_bytes(copied)) return fail(in_flux(upload_));
  return made->info;
}

}  // namespace longshore::s3
