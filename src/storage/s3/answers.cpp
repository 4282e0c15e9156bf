#include "s3/answers.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <pugixml.hpp>
#include <span>

#include "s3/uri_encoding.h"

namespace longshore::s3 {
namespace {

std::string_view local_name(const char* name) {
  const std::string_view text(name);
  const auto colon = text.find(':');
  return colon == std::string_view::npos ? text : text.substr(colon + 1);
}

pugi::xml_node child(pugi::xml_node parent, std::string_view name) {
  for (const pugi::xml_node node : parent.children()) {
    if (local_name(node.name()) == name) return node;
  }
  return {};
}

std::string_view text_of(pugi::xml_node parent, std::string_view name) {
  return child(parent, name).child_value();
}

/// Some stores quote ETags in XML, some do not.
std::string etag_of(pugi::xml_node parent) {
  std::string_view etag = text_of(parent, "ETag");
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

template <class T>
std::optional<T> number_of(pugi::xml_node parent, std::string_view name) {
  const std::string_view text = text_of(parent, name);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Error bad_answer(std::string_view what) {
  return external_error("store_unavailable", fmt::format("the store's answer is not what S3 says: {}", what));
}

/// A parsed document whose root has the name expected.
class Document {
 public:
  static Result<Document> parse(std::string_view xml, std::string_view root_name) {
    Document out;
    out.document_ = std::make_unique<pugi::xml_document>();
    // parse_default expands the five entities of XML itself and character references, nothing else.
    const pugi::xml_parse_result parsed = out.document_->load_buffer(xml.data(), xml.size(), pugi::parse_default);
    if (!parsed) return fail(bad_answer(fmt::format("{} at byte {} of the XML", parsed.description(), parsed.offset)));
    if (local_name(out.root().name()) != root_name) {
      return fail(bad_answer(fmt::format("<{}> instead of <{}>", out.root().name(), root_name)));
    }
    return out;
  }
  pugi::xml_node root() const { return document_->document_element(); }

 private:
  std::unique_ptr<pugi::xml_document> document_;
};

bool is_truncated(pugi::xml_node root) {
  return text_of(root, "IsTruncated") == "true";
}

/// Keys are asked for URL-encoded, since XML cannot hold every byte; not every store obliges, and says so by leaving
/// out EncodingType.
std::string decoded(pugi::xml_node root, std::string_view text) {
  return text_of(root, "EncodingType") == "url" ? uri_decode(text) : std::string(text);
}

}  // namespace

std::optional<ErrorAnswer> parse_error(std::string_view xml) {
  const auto document = Document::parse(xml, "Error");
  if (!document) {
    // The token service wraps its errors.
    const auto wrapped = Document::parse(xml, "ErrorResponse");
    if (!wrapped) return std::nullopt;
    const pugi::xml_node error = child(wrapped->root(), "Error");
    return ErrorAnswer{std::string(text_of(error, "Code")), std::string(text_of(error, "Message")), {}, {}};
  }
  const pugi::xml_node root = document->root();
  return ErrorAnswer{std::string(text_of(root, "Code")), std::string(text_of(root, "Message")),
                     std::string(text_of(root, "Region")), std::string(text_of(root, "Endpoint"))};
}

Result<ObjectPage> parse_object_page(std::string_view xml) {
  TRY(const Document document, Document::parse(xml, "ListBucketResult"));
  const pugi::xml_node root = document.root();
  ObjectPage page;
  for (const pugi::xml_node node : root.children()) {
    if (local_name(node.name()) != "Contents") continue;
    const auto size = number_of<std::int64_t>(node, "Size");
    const auto modified = parse_rfc3339(text_of(node, "LastModified"));
    if (!size || !modified) return fail(bad_answer("an object without Size or LastModified"));
    page.objects.push_back({decoded(root, text_of(node, "Key")), *size, etag_of(node), *modified});
  }
  page.truncated = is_truncated(root);
  page.next = text_of(root, "NextContinuationToken");
  if (page.truncated && page.next.empty()) return fail(bad_answer("more objects, but no NextContinuationToken"));
  return page;
}

Result<UploadPage> parse_upload_page(std::string_view xml) {
  TRY(const Document document, Document::parse(xml, "ListMultipartUploadsResult"));
  const pugi::xml_node root = document.root();
  UploadPage page;
  for (const pugi::xml_node node : root.children()) {
    if (local_name(node.name()) != "Upload") continue;
    const auto begun = parse_rfc3339(text_of(node, "Initiated"));
    if (!begun) return fail(bad_answer("an upload without Initiated"));
    page.uploads.push_back({{decoded(root, text_of(node, "Key")), std::string(text_of(node, "UploadId"))}, *begun});
  }
  page.truncated = is_truncated(root);
  page.next_key = decoded(root, text_of(root, "NextKeyMarker"));
  page.next_id = text_of(root, "NextUploadIdMarker");
  if (page.truncated && page.next_key.empty()) return fail(bad_answer("more uploads, but no NextKeyMarker"));
  return page;
}

Result<PartPage> parse_part_page(std::string_view xml) {
  TRY(const Document document, Document::parse(xml, "ListPartsResult"));
  const pugi::xml_node root = document.root();
  PartPage page;
  for (const pugi::xml_node node : root.children()) {
    if (local_name(node.name()) != "Part") continue;
    const auto number = number_of<int>(node, "PartNumber");
    const auto size = number_of<std::int64_t>(node, "Size");
    if (!number || !size) return fail(bad_answer("a part without PartNumber or Size"));
    page.parts.push_back({*number, *size, etag_of(node)});
  }
  page.truncated = is_truncated(root);
  if (!page.parts.empty()) page.next = page.parts.back().number;
  if (page.truncated && page.parts.empty()) return fail(bad_answer("more parts, but none in this page"));
  return page;
}

Result<std::string> parse_upload_id(std::string_view xml) {
  TRY(const Document document, Document::parse(xml, "InitiateMultipartUploadResult"));
  std::string id(text_of(document.root(), "UploadId"));
  if (id.empty()) return fail(bad_answer("no UploadId"));
  return id;
}

Result<std::string> parse_complete(std::string_view xml) {
  TRY(const Document document, Document::parse(xml, "CompleteMultipartUploadResult"));
  return etag_of(document.root());
}

Result<std::string> parse_copied_part(std::string_view xml) {
  TRY(const Document document, Document::parse(xml, "CopyPartResult"));
  std::string etag = etag_of(document.root());
  if (etag.empty()) return fail(bad_answer("no ETag of the copied part"));
  return etag;
}

Result<Credentials> parse_assumed_role(std::string_view xml) {
  TRY(const Document document, Document::parse(xml, "AssumeRoleWithWebIdentityResponse"));
  const pugi::xml_node node = child(child(document.root(), "AssumeRoleWithWebIdentityResult"), "Credentials");
  Credentials out{std::string(text_of(node, "AccessKeyId")), std::string(text_of(node, "SecretAccessKey")),
                  std::string(text_of(node, "SessionToken")), std::nullopt};
  if (const auto expires = parse_rfc3339(text_of(node, "Expiration"))) out.expires = *expires;
  if (out.access_key_id.empty() || out.secret_access_key.empty() || !out.expires) {
    return fail(bad_answer("no complete Credentials"));
  }
  return out;
}

std::string complete_document(std::span<const PartReceipt> parts) {
  std::string out = R"(<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)";
  for (const PartReceipt& part : parts) {
    std::string etag;
    for (const char c : part.etag) {  // one from a damaged record must not become another element
      if (c == '&') {
        etag += "&amp;";
      } else if (c == '<') {
        etag += "&lt;";
      } else {
        etag += c;
      }
    }
    out += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>\"{}\"</ETag></Part>", part.number, etag);
  }
  return out + "</CompleteMultipartUpload>";
}

}  // namespace longshore::s3
