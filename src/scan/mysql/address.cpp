#include "scan/mysql/address.h"

#include <algorithm>
#include <boost/url.hpp>
#include <optional>

#include "scan/value_text.h"

namespace longshore {

namespace {

Error bad_address(std::string message) {
  return user_error("bad_source", std::move(message) + "; write mysql://user:password@host:3306/database");
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c + 32);
    return c == '_' ? '-' : c;
  });
  return text;
}

std::optional<MysqlTls> parse_tls(const std::string& text) {
  const std::string word = lower(text);
  if (word == "disabled") return MysqlTls::disabled;
  if (word == "preferred") return MysqlTls::preferred;
  if (word == "required") return MysqlTls::required;
  if (word == "verify-identity") return MysqlTls::verified;
  return std::nullopt;
}

Status read_option(const std::string& name, const std::string& value, MysqlAddress& address) {
  if (name == "socket") {
    address.socket = value;
  } else if (name == "ssl-ca") {
    address.tls_authority = value;
  } else if (name == "ssl-cert") {
    address.tls_certificate = value;
  } else if (name == "ssl-key") {
    address.tls_key = value;
  } else if (name == "password-file") {
    address.password_file = value;
  } else if (name == "ssl-mode") {
    const auto tls = parse_tls(value);
    if (!tls) return fail(bad_address("ssl-mode is disabled, preferred, required or verify-identity"));
    address.tls = *tls;
  } else if (name == "connect-timeout") {
    const auto seconds = parse_int64(value);
    if (!seconds || *seconds < 1 || *seconds > 300) {
      return fail(bad_address("connect-timeout is a number of seconds from 1 to 300"));
    }
    address.connect_timeout_seconds = static_cast<int>(*seconds);
  } else if (name == "zero-dates") {
    if (value != "error" && value != "null") return fail(bad_address("zero-dates is error or null"));
    address.zero_dates_are_null = value == "null";
  } else {
    return fail(bad_address("a MySQL connection string has no option \"" + name + "\""));
  }
  return {};
}

}  // namespace

Result<MysqlAddress> parse_mysql_address(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed) return fail(bad_address("a MySQL connection string is a URL, which this is not"));
  const boost::urls::url_view& view = *parsed;
  const std::string scheme = lower(view.scheme());
  if (scheme != "mysql" && scheme != "mariadb") {
    return fail(bad_address("a MySQL connection string begins with mysql:// or mariadb://"));
  }
  MysqlAddress address;
  address.user = view.user();
  address.password = view.password();
  address.host = view.host_address();
  if (view.has_port() && !view.port().empty()) {
    if (view.port_number() == 0) return fail(bad_address("the port is no number from 1 to 65535"));
    address.port = view.port_number();
  }
  std::string path = view.path();
  if (path.starts_with('/')) path.erase(0, 1);
  if (path.empty() || path.find('/') != std::string::npos) {
    return fail(bad_address("a MySQL connection string names one database behind the host"));
  }
  address.database = path;
  for (const auto parameter : view.params()) {
    CHECK_OK(read_option(std::string(parameter.key), std::string(parameter.value), address));
  }
  if (address.user.empty()) return fail(bad_address("a MySQL connection string names a user"));
  if (address.host.empty() && address.socket.empty()) {
    return fail(bad_address("a MySQL connection string names a host, or a socket=/path"));
  }
  if (!address.password.empty() && !address.password_file.empty()) {
    return fail(bad_address("a password and a password-file are one too many"));
  }
  return address;
}

}  // namespace longshore
