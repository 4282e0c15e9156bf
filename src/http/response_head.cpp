#include "http/response_head.h"

#include <algorithm>

#include "base/digest.h"
#include "base/random.h"

namespace longshore {

namespace {

void append_header(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  for (const char c : value) head += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  head += "\r\n";
}

}  // namespace

std::string format_head(const Response& response, const HeadOptions& options) {
  std::string head;
  head.reserve(512);
  head += "HTTP/1.1 ";
  head += std::to_string(response.status);
  head += ' ';
  head += reason_phrase(response.status);
  head += "\r\n";
  append_header(head, "Date", options.date);
  for (const Field& field : response.headers) append_header(head, field.name, field.value);
  if (response.status != 204 && response.status != 304) {
    const auto length = response.file ? response.file->length : static_cast<std::int64_t>(response.body.size());
    append_header(head, "Content-Length", std::to_string(length));
  }
  append_header(head, "X-Request-Id", options.request_id);
  append_header(head, "X-Content-Type-Options", "nosniff");
  if (response.header("Cache-Control") == nullptr) append_header(head, "Cache-Control", "no-store");
  if (!options.keep_alive) {
    append_header(head, "Connection", "close");
  } else if (options.http_1_0) {
    append_header(head, "Connection", "keep-alive");
  }
  head += "\r\n";
  return head;
}

bool is_sane_request_id(std::string_view id) {
  constexpr std::string_view kMarks = "._:/=+@-";
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

std::string make_request_id() {
  return to_hex(random_bytes(16));
}

}  // namespace longshore
