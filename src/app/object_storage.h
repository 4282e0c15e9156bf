#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "app/configuration.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/router.h"
#include "storage/object_store.h"

namespace longshore {

/// The object store that the configuration names, and the links into it.
class ObjectStorage {
 public:
  virtual ~ObjectStorage() = default;
  virtual ObjectStore& store() = 0;
  /// Links that begin with `public_url` where the server itself serves them; its routes are added to `router` then.
  /// To be called once. `clock` outlives this.
  virtual Result<LinkSigner*> make_links(const std::string& public_url, Router& router) = 0;
};

/// `stop` makes calls under way fail soon, where the store may hang. Errors: those of the store.
Result<std::unique_ptr<ObjectStorage>> open_storage(const Configuration& configuration, Clock& clock,
                                                    std::stop_token stop);

}  // namespace longshore
