#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "s3/http.h"

namespace longshore::s3 {

/// A transport without a network: answers by what the test has put into it, in turn, and remembers what was asked.
/// Thread-safe.
class ScriptedTransport final : public HttpTransport {
 public:
  using Reply = std::function<Result<HttpResponse>(const HttpRequest&)>;
  /// A request, with a body of its own.
  struct Seen {
    std::string method;
    std::string url;
    Headers headers;
    std::string body;
    HttpTimeouts timeouts;

    std::string header(std::string_view name) const {
      for (const auto& [known, value] : headers) {
        if (known == name) return value;
      }
      return {};
    }
  };

  /// The next request that no reply waits for yet gets this one.
  ScriptedTransport& then(Reply reply) {
    const std::lock_guard lock(mutex_);
    replies_.push_back(std::move(reply));
    return *this;
  }
  ScriptedTransport& then(int status, const std::string& body = "", const Headers& headers = {}) {
    return then([=](const HttpRequest& request) -> Result<HttpResponse> {
      HttpResponse response{status, headers, body};
      if (request.sink != nullptr && status / 100 == 2) request.sink->append(std::exchange(response.body, ""));
      return response;
    });
  }
  ScriptedTransport& then_error(const std::string& code, bool retriable = true) {
    return then([=](const HttpRequest&) -> Result<HttpResponse> {
      return fail(external_error(code, "scripted " + code, retriable));
    });
  }
  /// Every request that no reply is left for.
  ScriptedTransport& otherwise(Reply reply) {
    const std::lock_guard lock(mutex_);
    otherwise_ = std::move(reply);
    return *this;
  }

  Result<HttpResponse> exchange(const HttpRequest& request) override {
    Reply reply;
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back({request.method, request.url, request.headers, std::string(request.body), request.timeouts});
      if (!replies_.empty()) {
        reply = std::move(replies_.front());
        replies_.pop_front();
      } else {
        reply = otherwise_;
      }
    }
    if (!reply) return fail(internal_error("not_scripted", "the test expects no further request: " + request.url));
    return reply(request);
  }

  std::vector<Seen> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  /// `PUT /bucket/key?x=y`, one for each request.
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const Seen& request : seen()) {
      const auto host = request.url.find("://") + 3;
      out.push_back(request.method + " " + request.url.substr(request.url.find('/', host)));
    }
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::deque<Reply> replies_;
  Reply otherwise_;
  std::vector<Seen> seen_;
};

}  // namespace longshore::s3
