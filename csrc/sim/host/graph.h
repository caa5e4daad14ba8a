// Graphs of work: built node by node or by capturing streams, launched as a whole. Knows nothing of what the nodes do.
#pragma once
#include <cuda_runtime_api.h>

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "host/call.h"

struct CUstream_st;
struct CUevent_st;

#pragma GCC visibility push(hidden)
struct CUgraphNode_st {
  cudaGraphNodeType type = cudaGraphNodeTypeEmpty;
  std::function<void()> body;
  std::vector<CUgraphNode_st*> after;
  CUgraph_st* graph = nullptr;
};

struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes;
  std::map<cudaGraphNode_t, cudaGraphNode_t> clones;  // of the nodes of the graph that it is a clone of
};

namespace spak::sim::host {

struct Capture {
  cudaGraph_t graph;
  cudaStream_t origin;
  std::vector<cudaStream_t> joined;
};

// The next node of a stream that is being captured.
void capture_node(CUstream_st& stream, std::function<void()> body, cudaGraphNodeType type = cudaGraphNodeTypeKernel);
// The stream takes part in the capture that the event was recorded in.
cudaError_t join_capture(const Call& call, CUstream_st& stream, const CUevent_st& event);

}  // namespace spak::sim::host
#pragma GCC visibility pop
