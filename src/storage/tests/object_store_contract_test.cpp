#include "object_store_contract.h"

#include "storage/faulty/faulty_store.h"
#include "storage/local/local_store.h"
#include "storage/memory/memory_store.h"
#include "temporary_directory.h"

namespace longshore {
namespace {

struct LocalHarness {
  ObjectStore& store() { return *local; }
  TemporaryDirectory directory;
  std::unique_ptr<LocalStore> local = LocalStore::make((directory.path() / "store").string()).value();
};

struct MemoryHarness {
  ObjectStore& store() { return memory; }
  MemoryStore memory;
};

struct FaultyHarness {
  ObjectStore& store() { return faulty; }
  FaultyStore faulty{std::make_shared<MemoryStore>()};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Local, ObjectStoreContract, LocalHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, ObjectStoreContract, MemoryHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(Faulty, ObjectStoreContract, FaultyHarness);

}  // namespace
}  // namespace longshore
