#include "http/worker_routes.h"

#include <boost/json.hpp>
#include <utility>

#include "http/json_text.h"

namespace longshore {

namespace json = boost::json;

std::string workers_json(const std::vector<WorkerRecord>& workers) {
  json::array out;
  for (const WorkerRecord& worker : workers) {
    out.push_back(json::object{{"workerId", worker.id.str()},
                               {"host", worker.host},
                               {"pid", worker.pid},
                               {"startedAt", to_rfc3339(worker.started_at)},
                               {"heartbeatAt", to_rfc3339(worker.heartbeat_at)},
                               {"alive", worker.alive},
                               {"claims", worker.claims}});
  }
  return to_text(json::object{{"workers", std::move(out)}});
}

void append_worker_routes(Router& router, const ApiContext& context, ExportService& service) {
  router.add("GET", "/v1/workers",
             for_principal(context, [&service](const Request&, const Principal& who) -> Result<Response> {
               TRY(const std::vector<WorkerRecord> workers, service.workers(who));
               return json_response(200, workers_json(workers));
             }));
}

}  // namespace longshore
