// One call of the runtime API by the program: its name and place, its error, the lock. Knows nothing of what it does.
#pragma once
#include <cuda_runtime_api.h>

#include <mutex>
#include <string>

#include "engine/finding.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

// An error that the context does not survive: every call returns it until cudaDeviceReset.
cudaError_t context_error();
void break_context(cudaError_t error);

// A call that a host thread is in. Calls are one at a time; one may call another.
class Call {
 public:
  explicit Call(const char* function, const void* place, Site site = {nullptr, 0});
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // What the call returns; cudaGetLastError tells it once more.
  cudaError_t operator()(cudaError_t error) const;
  // The same, with a finding `bad-api-call` at the caller.
  cudaError_t wrong(cudaError_t error, const std::string& sentence, const std::string& hint = "") const;
  // A function that exists but is not modelled: finding `unsupported`.
  cudaError_t unsupported(const std::string& what) const;
  const char* function() const { return function_; }
  Place place() const { return place_; }

 private:
  const char* function_;
  Place place_;
  std::lock_guard<std::recursive_mutex> lock_;
};

std::recursive_mutex& api_lock();
// A finding of rule `bad-api-call` whose place is given.
void report_misuse(const std::string& sentence, const std::string& hint, Place place,
                   const std::string& role = "called");
// Hands everything found so far to whoever asked for it: SPAK_SIM_REPORT and SPAK_SIM_COUNTERS name files.
void deliver();
// Adds a line to the file that a variable of the environment names, if it names one.
void append(const char* variable, const std::string& json);
// How many findings this process has delivered.
std::size_t delivered();
bool check_mode();

}  // namespace spak::sim::host
#pragma GCC visibility pop

// First in every function of the API: `call` is the call, and a broken context answers at once.
#define SPAK_API_ANYWAY const ::spak::sim::host::Call call(__func__, __builtin_return_address(0))
#define SPAK_API   \
  SPAK_API_ANYWAY; \
  if (::spak::sim::host::context_error() != cudaSuccess) return call(::spak::sim::host::context_error())
// The same where the caller's line is a parameter `at`.
#define SPAK_API_AT                                                              \
  const ::spak::sim::host::Call call(__func__, __builtin_return_address(0), at); \
  if (::spak::sim::host::context_error() != cudaSuccess) return call(::spak::sim::host::context_error())
