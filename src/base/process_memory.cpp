#include "base/process_memory.h"

#include <malloc.h>

namespace longshore {

void return_freed_memory() {
  constexpr int kPagesOfTheirOwn = 256 << 10;  // above the blocks that come and go with every batch
  ::mallopt(M_MMAP_THRESHOLD, kPagesOfTheirOwn);
}

}  // namespace longshore
