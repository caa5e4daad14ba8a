// Names and sentences of the runtime API's errors. Knows nothing of how they come about.
#include <cuda_runtime_api.h>

namespace {

struct Row {
  cudaError_t code;
  const char *name, *sentence;
};

#define SPAK_ROW(code, sentence) {code, #code, sentence}
constexpr Row rows[] = {
    SPAK_ROW(cudaSuccess, "no error"),
    SPAK_ROW(cudaErrorInvalidValue, "invalid argument"),
    SPAK_ROW(cudaErrorMemoryAllocation, "out of memory"),
    SPAK_ROW(cudaErrorInitializationError, "initialization error"),
    SPAK_ROW(cudaErrorCudartUnloading, "driver shutting down"),
    SPAK_ROW(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    SPAK_ROW(cudaErrorInvalidPitchValue, "invalid pitch argument"),
    SPAK_ROW(cudaErrorInvalidSymbol, "invalid device symbol"),
    SPAK_ROW(cudaErrorInvalidDevicePointer, "invalid device pointer"),
    SPAK_ROW(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"),
    SPAK_ROW(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version"),
    SPAK_ROW(cudaErrorMissingConfiguration, "__global__ function call is not configured"),
    SPAK_ROW(cudaErrorInvalidDeviceFunction, "invalid device function"),
    SPAK_ROW(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    SPAK_ROW(cudaErrorInvalidDevice, "invalid device ordinal"),
    SPAK_ROW(cudaErrorNoKernelImageForDevice, "no kernel image is available for execution on the device"),
    SPAK_ROW(cudaErrorUnsupportedLimit, "limit is not supported on this architecture"),
    SPAK_ROW(cudaErrorPeerAccessUnsupported, "peer access is not supported between these two devices"),
    SPAK_ROW(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    SPAK_ROW(cudaErrorIllegalState, "the operation cannot be performed in the present state"),
    SPAK_ROW(cudaErrorSymbolNotFound, "named symbol not found"),
    SPAK_ROW(cudaErrorNotReady, "device not ready"),
    SPAK_ROW(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    SPAK_ROW(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    SPAK_ROW(cudaErrorLaunchTimeout, "the launch timed out and was terminated"),
    SPAK_ROW(cudaErrorPeerAccessAlreadyEnabled, "peer access is already enabled"),
    SPAK_ROW(cudaErrorPeerAccessNotEnabled, "peer access has not been enabled"),
    SPAK_ROW(cudaErrorAssert, "device-side assert triggered"),
    SPAK_ROW(cudaErrorHostMemoryAlreadyRegistered, "part or all of the requested memory range is already mapped"),
    SPAK_ROW(cudaErrorHostMemoryNotRegistered, "pointer does not correspond to a registered memory region"),
    SPAK_ROW(cudaErrorHardwareStackError, "hardware stack error"),
    SPAK_ROW(cudaErrorIllegalInstruction, "an illegal instruction was encountered"),
    SPAK_ROW(cudaErrorMisalignedAddress, "misaligned address"),
    SPAK_ROW(cudaErrorInvalidAddressSpace, "operation not supported on global/shared address space"),
    SPAK_ROW(cudaErrorInvalidPc, "invalid program counter"),
    SPAK_ROW(cudaErrorLaunchFailure, "unspecified launch failure"),
    SPAK_ROW(cudaErrorCooperativeLaunchTooLarge, "too many blocks in cooperative launch"),
    SPAK_ROW(cudaErrorNotPermitted, "operation not permitted"),
    SPAK_ROW(cudaErrorNotSupported, "operation not supported"),
    SPAK_ROW(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"),
    SPAK_ROW(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture"),
    SPAK_ROW(cudaErrorStreamCaptureMerge, "operation would result in a merge of separate capture sequences"),
    SPAK_ROW(cudaErrorStreamCaptureUnmatched, "capture was not ended in the same stream as it began"),
    SPAK_ROW(cudaErrorStreamCaptureUnjoined, "capturing stream has unjoined work"),
    SPAK_ROW(cudaErrorStreamCaptureIsolation, "dependency created on uncaptured work in another stream"),
    SPAK_ROW(cudaErrorStreamCaptureImplicit,
             "operation would make the legacy stream depend on a capturing blocking stream"),
    SPAK_ROW(cudaErrorCapturedEvent, "operation not permitted on an event last recorded in a capturing stream"),
    SPAK_ROW(cudaErrorGraphExecUpdateFailure,
             "the graph update was not performed because it included changes which violated constraints"),
    SPAK_ROW(cudaErrorInvalidClusterSize, "cluster misconfiguration"),
    SPAK_ROW(cudaErrorUnknown, "unknown error"),
};
#undef SPAK_ROW

const Row* row(cudaError_t error) {
  for (const Row& each : rows)
    if (each.code == error) return &each;
  return nullptr;
}

}  // namespace

extern "C" const char* cudaGetErrorName(cudaError_t error) {
  return row(error) ? row(error)->name : "unrecognized error code";
}

extern "C" const char* cudaGetErrorString(cudaError_t error) {
  return row(error) ? row(error)->sentence : "unrecognized error code";
}
