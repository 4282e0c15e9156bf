#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace longshore {

/// Whether a connection is encrypted, and how far the server's certificate is believed.
enum class MysqlTls : std::uint8_t {
  disabled,
  preferred,  ///< encrypted if the server can
  required,   ///< encrypted, whoever the server is
  verified,   ///< encrypted, with a certificate of this host that a known authority signed
};

/// A MySQL or MariaDB server and who asks there, from `mysql://user:password@host:3306/database?option=value`.
///
/// Options: `socket` (path of a Unix socket, instead of host and port), `ssl-mode` (`disabled`, `preferred`,
/// `required`, `verify-identity`; default preferred), `ssl-ca`, `ssl-cert`, `ssl-key` (files), `password-file` (its
/// first line is the password), `connect-timeout` (seconds, 1 to 300; default 10), `zero-dates` (`error` or `null`:
/// what becomes of 0000-00-00; default error).
struct MysqlAddress {
  std::string user;
  std::string password;
  std::string host;
  std::string socket;
  unsigned port = 3306;
  std::string database;
  MysqlTls tls = MysqlTls::preferred;
  std::string tls_authority;
  std::string tls_certificate;
  std::string tls_key;
  std::string password_file;
  int connect_timeout_seconds = 10;
  bool zero_dates_are_null = false;
};

/// Error `bad_source` (user), which says what is wrong and never repeats the text: it may hold a password.
Result<MysqlAddress> parse_mysql_address(const std::string& url);

}  // namespace longshore
