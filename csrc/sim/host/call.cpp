// Calls of the runtime API: errors that are remembered, findings that are delivered. Knows nothing of memory or streams.
#include "host/call.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "host/unsupported.h"
#include "spak/sim/report.h"

namespace spak::sim::host {

namespace {
thread_local cudaError_t last_error = cudaSuccess;
cudaError_t broken = cudaSuccess;
std::size_t delivered_ = 0;
}  // namespace

std::recursive_mutex& api_lock() {
  static std::recursive_mutex* const mutex = new std::recursive_mutex;  // outlives every destructor of the program
  return *mutex;
}

cudaError_t context_error() { return broken; }

void break_context(cudaError_t error) { broken = error; }

Call::Call(const char* function, const void* place, Site site)
    : function_(function), place_{site, site.file ? nullptr : static_cast<const char*>(place) - 1}, lock_(api_lock()) {}

Call::~Call() = default;

cudaError_t Call::operator()(cudaError_t error) const {
  if (error != cudaSuccess && error != cudaErrorNotReady) last_error = error;
  return error;
}

cudaError_t Call::wrong(cudaError_t error, const std::string& sentence, const std::string& hint) const {
  report_misuse(std::string(function_) + ": " + sentence, hint, place_);
  deliver();
  return (*this)(error);
}

cudaError_t Call::unsupported(const std::string& what) const {
  report({"unsupported",
          std::string(function_) + ": " + what,
          "leave it out where the program runs on the simulator",
          {{"called", place_, "", ""}}});
  deliver();
  return (*this)(cudaErrorNotSupported);
}

void report_misuse(const std::string& sentence, const std::string& hint, Place place, const std::string& role) {
  report({"bad-api-call", sentence, hint, {{role, place, "", ""}}});
}

// One JSON value a line, so that a crash loses nothing that was found before.
void append(const char* variable, const std::string& json) {
  if (json.empty() || json == "[]") return;
  const char* path = std::getenv(variable);
  if (!path || !*path) {
    if (std::strcmp(variable, "SPAK_SIM_REPORT") == 0) std::fprintf(stderr, "spak sim: %s\n", json.c_str());
    return;
  }
  if (std::FILE* file = std::fopen(path, "a")) {
    std::fprintf(file, "%s\n", json.c_str());
    std::fclose(file);
  } else {
    std::fprintf(stderr, "spak sim: cannot write %s: %s\n", path, json.c_str());
  }
}

void deliver() {
  const std::string findings = take_findings();
  if (!findings.empty() && findings != "[]") ++delivered_;
  append("SPAK_SIM_REPORT", findings);
  append("SPAK_SIM_COUNTERS", take_counters());
}

std::size_t delivered() { return delivered_; }

cudaError_t not_modelled(const char* function, const void* place) {
  const Call call(function, place);
  return context_error() != cudaSuccess ? call(context_error()) : call.unsupported("is not modelled");
}

bool check_mode() {
  const char* mode = std::getenv("SPAK_SIM_MODE");
  return mode && std::strcmp(mode, "check") == 0;
}

}  // namespace spak::sim::host

using spak::sim::host::last_error;

extern "C" cudaError_t cudaGetLastError() {
  SPAK_API_ANYWAY;
  const cudaError_t error =
      spak::sim::host::context_error() != cudaSuccess ? spak::sim::host::context_error() : last_error;
  last_error = cudaSuccess;
  return error;
}

extern "C" cudaError_t cudaPeekAtLastError() {
  SPAK_API_ANYWAY;
  return spak::sim::host::context_error() != cudaSuccess ? spak::sim::host::context_error() : last_error;
}
