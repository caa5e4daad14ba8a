#include "memory.h"

#include <stdexcept>

#include "driver.h"

namespace spak::runtime::cuda {

void* allocate(std::size_t bytes, int device) {
  const Current current(device);
  Address address = 0;
  driver().check(driver().allocate(&address, bytes != 0 ? bytes : 1), "no device memory for a result");
  return reinterpret_cast<void*>(address);
}

void release(void* data, int device) {
  try {
    const Current current(device);
    driver().release(reinterpret_cast<Address>(data));
  } catch (const std::runtime_error&) {
  }
}

}  // namespace spak::runtime::cuda
