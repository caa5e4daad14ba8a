// Graphs: nodes that are recorded launches, copies, fills and host calls. A launch of a graph is one piece of work of its
// stream; inside, nodes run in an order that their edges allow, and where streams are lazy in one that differs from the
// order in which they were added. Knows nothing of what the nodes do.
#include "host/graph.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>

#include "host/copy.h"
#include "host/launch.h"
#include "host/memory.h"
#include "host/stream.h"

struct CUgraphExec_st {
  struct Step {
    std::function<void()> body;
    cudaGraphNodeType type;
    std::vector<std::size_t> after;
  };
  std::vector<Step> steps;
  std::map<cudaGraphNode_t, std::size_t> index;
};

namespace spak::sim::host {

namespace {

std::set<cudaGraph_t>& graphs() {
  static auto* const all = new std::set<cudaGraph_t>;
  return *all;
}
std::set<cudaGraphExec_t>& execs() {
  static auto* const all = new std::set<cudaGraphExec_t>;
  return *all;
}

cudaGraph_t new_graph() {
  auto* const graph = new CUgraph_st;
  graphs().insert(graph);
  return graph;
}

cudaGraphNode_t new_node(CUgraph_st& graph, cudaGraphNodeType type, std::function<void()> body,
                         std::vector<cudaGraphNode_t> after) {
  auto node = std::make_unique<CUgraphNode_st>();
  node->type = type, node->body = std::move(body), node->graph = &graph, node->after = std::move(after);
  graph.nodes.push_back(std::move(node));
  return graph.nodes.back().get();
}

bool in_graph(const CUgraph_st& graph, cudaGraphNode_t node) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const auto& each) { return each.get() == node; });
}

// The steps of a graph; false where its edges make a circle.
bool compile(const CUgraph_st& graph, CUgraphExec_st& out) {
  out.steps.clear(), out.index.clear();
  for (const auto& node : graph.nodes) out.index[node.get()] = out.index.size();
  for (const auto& node : graph.nodes) {
    std::vector<std::size_t> after;
    for (cudaGraphNode_t before : node->after) after.push_back(out.index.at(before));
    out.steps.push_back({node->body, node->type, std::move(after)});
  }
  std::vector<bool> done(out.steps.size());
  for (std::size_t left = done.size(), before = left + 1; left && left < before;) {
    before = left;
    for (std::size_t i = 0; i < done.size(); ++i)
      if (!done[i] &&
          std::all_of(out.steps[i].after.begin(), out.steps[i].after.end(), [&](std::size_t j) { return done[j]; }))
        done[i] = true, --left;
    if (!left) return true;
  }
  return done.empty();
}

void run_steps(const std::vector<CUgraphExec_st::Step>& steps) {
  const bool late = lazy();
  std::vector<bool> done(steps.size());
  for (std::size_t left = steps.size(); left; --left) {
    std::size_t next = steps.size();
    for (std::size_t i = 0; i < steps.size() && (late || next == steps.size()); ++i)
      if (!done[i] && std::all_of(steps[i].after.begin(), steps[i].after.end(), [&](std::size_t j) { return done[j]; }))
        next = i;
    done[next] = true;
    if (steps[next].body && context_error() == cudaSuccess) steps[next].body();
  }
}

// Common to all cudaGraphAdd...Node.
cudaError_t add(const Call& call, cudaGraphNode_t* out, cudaGraph_t graph, const cudaGraphNode_t* after,
                std::size_t count, cudaGraphNodeType type, std::function<void()> body) {
  if (!out || !graphs().count(graph)) return call(cudaErrorInvalidValue);
  std::vector<cudaGraphNode_t> before(after, after + count);
  for (cudaGraphNode_t each : before)
    if (!in_graph(*graph, each)) return call.wrong(cudaErrorInvalidValue, "a dependency is not a node of this graph");
  *out = new_node(*graph, type, std::move(body), std::move(before));
  return cudaSuccess;
}

cudaError_t kernel_body(const Call& call, const cudaKernelNodeParams* p, std::function<void()>& body) {
  if (!p || p->extra) return call(cudaErrorInvalidValue);
  Shape shape{p->gridDim, p->blockDim, p->sharedMemBytes, nullptr, call.place()};
  const auto launch = package(p->func, shape, p->kernelParams);
  if (!launch) return call.wrong(cudaErrorInvalidDeviceFunction, "the address is not that of a kernel");
  body = [launch] { run(*launch); };
  return validate(call, *launch);
}

cudaError_t memset_body(const Call& call, const cudaMemsetParams* p, std::function<void()>& body) {
  if (!p || (p->elementSize != 1 && p->elementSize != 2 && p->elementSize != 4)) return call(cudaErrorInvalidValue);
  if (const cudaError_t error =
          check_fill(call, p->dst, (std::max<std::size_t>(p->height, 1) - 1) * p->pitch + p->width * p->elementSize);
      error != cudaSuccess)
    return error;
  body = [kept = *p] {
    fill(kept.dst, kept.pitch, kept.value, kept.elementSize, kept.width, std::max<std::size_t>(kept.height, 1));
  };
  return cudaSuccess;
}

cudaError_t copy_body(const Call& call, Transfer t, std::function<void()>& body) {
  if (const cudaError_t error = check_transfer(call, t); error != cudaSuccess) return error;
  body = [t] { transfer(t); };
  return cudaSuccess;
}

// A node of an instance that is to do something else from now on; null where it is of another type.
CUgraphExec_st::Step* step_of(cudaGraphExec_t exec, cudaGraphNode_t node, cudaGraphNodeType type) {
  if (!execs().count(exec)) return nullptr;
  const auto found = exec->index.find(node);
  if (found == exec->index.end() || exec->steps[found->second].type != type) return nullptr;
  return &exec->steps[found->second];
}

}  // namespace

void capture_node(CUstream_st& stream, std::function<void()> body, cudaGraphNodeType type) {
  stream.captured = {new_node(*stream.capture->graph, type, std::move(body), stream.captured)};
}

cudaError_t join_capture(const Call& call, CUstream_st& stream, const CUevent_st& event) {
  if (stream.capture && stream.capture != event.capture)
    return call.wrong(cudaErrorStreamCaptureMerge, "the stream is part of another capture");
  if (!stream.capture) {
    stream.capture = event.capture, stream.captured.clear();
    event.capture->joined.push_back(&stream);
  }
  for (cudaGraphNode_t node : event.captured)
    if (std::find(stream.captured.begin(), stream.captured.end(), node) == stream.captured.end())
      stream.captured.push_back(node);
  return cudaSuccess;
}

}  // namespace spak::sim::host

using namespace spak::sim::host;

// --- capture -------------------------------------------------------------------------------------------------------------
extern "C" cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
  SPAK_API;
  const cudaStream_t stream = stream_of(handle);
  if (!stream) return call.wrong(cudaErrorInvalidResourceHandle, "the stream does not exist, or was destroyed");
  if (stream == stream_of(nullptr))
    return call.wrong(cudaErrorStreamCaptureUnsupported, "the default stream cannot be captured",
                      "capture a stream that cudaStreamCreate made");
  if (stream->capture) return call.wrong(cudaErrorIllegalState, "the stream is being captured already");
  stream->capture = std::make_shared<Capture>(Capture{new_graph(), stream, {}});
  stream->captured.clear();
  return cudaSuccess;
}

extern "C" cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* out) {
  SPAK_API;
  const cudaStream_t stream = stream_of(handle);
  if (!stream || !out) return call(cudaErrorInvalidValue);
  const std::shared_ptr<Capture> capture = stream->capture;
  if (!capture) return call.wrong(cudaErrorIllegalState, "the stream is not being captured");
  if (capture->origin != stream)
    return call.wrong(cudaErrorStreamCaptureUnmatched, "the capture began in another stream");
  // What a joined stream did must come before the end of the origin: else it would run on while the graph has ended.
  std::set<cudaGraphNode_t> before;
  std::vector<cudaGraphNode_t> stack = stream->captured;
  while (!stack.empty()) {
    const cudaGraphNode_t node = stack.back();
    stack.pop_back();
    if (!before.insert(node).second) continue;
    stack.insert(stack.end(), node->after.begin(), node->after.end());
  }
  bool unjoined = false;
  for (cudaStream_t other : capture->joined) {
    for (cudaGraphNode_t node : other->captured) unjoined = unjoined || !before.count(node);
    other->capture = nullptr, other->captured.clear();
  }
  stream->capture = nullptr, stream->captured.clear();
  *out = nullptr;
  if (unjoined)
    return call.wrong(cudaErrorStreamCaptureUnjoined, "a stream that joined the capture was not joined again",
                      "record an event in it and let the first stream wait for that before the capture ends");
  *out = capture->graph;
  return cudaSuccess;
}

extern "C" cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  SPAK_API;
  const cudaStream_t stream = stream_of(handle);
  if (!stream || !status) return call(cudaErrorInvalidValue);
  *status = stream->capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

extern "C" cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode*) { return cudaSuccess; }

// --- building ------------------------------------------------------------------------------------------------------------
extern "C" cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned) {
  SPAK_API;
  if (!graph) return call(cudaErrorInvalidValue);
  *graph = new_graph();
  return cudaSuccess;
}
extern "C" cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  SPAK_API;
  if (!graphs().erase(graph)) return call.wrong(cudaErrorInvalidValue, "the graph does not exist, or was destroyed");
  delete graph;
  return cudaSuccess;
}
extern "C" cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* out, cudaGraph_t graph, const cudaGraphNode_t* after,
                                              size_t count, const cudaKernelNodeParams* params) {
  SPAK_API;
  std::function<void()> body;
  if (const cudaError_t error = kernel_body(call, params, body); error != cudaSuccess) return error;
  return add(call, out, graph, after, count, cudaGraphNodeTypeKernel, std::move(body));
}
extern "C" cudaError_t cudaGraphAddMemcpyNode1D(cudaGraphNode_t* out, cudaGraph_t graph, const cudaGraphNode_t* after,
                                                size_t count, void* to, const void* from, size_t bytes,
                                                cudaMemcpyKind kind) {
  SPAK_API;
  Transfer t{to, from, bytes};
  t.kind = kind;
  std::function<void()> body;
  if (const cudaError_t error = copy_body(call, t, body); error != cudaSuccess) return error;
  return add(call, out, graph, after, count, cudaGraphNodeTypeMemcpy, std::move(body));
}
extern "C" cudaError_t cudaGraphAddMemcpyNode(cudaGraphNode_t* out, cudaGraph_t graph, const cudaGraphNode_t* after,
                                              size_t count, const cudaMemcpy3DParms* p) {
  SPAK_API;
  if (!p || p->srcArray || p->dstArray) return call.unsupported("CUDA arrays are not modelled");
  Transfer t{p->dstPtr.ptr, p->srcPtr.ptr, p->extent.width, p->extent.height, p->extent.depth};
  t.to_pitch = p->dstPtr.pitch, t.from_pitch = p->srcPtr.pitch, t.kind = p->kind;
  t.to_plane = p->dstPtr.pitch * p->dstPtr.ysize, t.from_plane = p->srcPtr.pitch * p->srcPtr.ysize;
  t.to = static_cast<char*>(t.to) + p->dstPos.z * t.to_plane + p->dstPos.y * t.to_pitch + p->dstPos.x;
  t.from = static_cast<const char*>(t.from) + p->srcPos.z * t.from_plane + p->srcPos.y * t.from_pitch + p->srcPos.x;
  std::function<void()> body;
  if (const cudaError_t error = copy_body(call, t, body); error != cudaSuccess) return error;
  return add(call, out, graph, after, count, cudaGraphNodeTypeMemcpy, std::move(body));
}
extern "C" cudaError_t cudaGraphAddMemsetNode(cudaGraphNode_t* out, cudaGraph_t graph, const cudaGraphNode_t* after,
                                              size_t count, const cudaMemsetParams* p) {
  SPAK_API;
  std::function<void()> body;
  if (const cudaError_t error = memset_body(call, p, body); error != cudaSuccess) return error;
  return add(call, out, graph, after, count, cudaGraphNodeTypeMemset, std::move(body));
}
extern "C" cudaError_t cudaGraphAddHostNode(cudaGraphNode_t* out, cudaGraph_t graph, const cudaGraphNode_t* after,
                                            size_t count, const cudaHostNodeParams* p) {
  SPAK_API;
  if (!p || !p->fn) return call(cudaErrorInvalidValue);
  const cudaHostNodeParams kept = *p;
  return add(call, out, graph, after, count, cudaGraphNodeTypeHost, [kept] { kept.fn(kept.userData); });
}
extern "C" cudaError_t cudaGraphAddEmptyNode(cudaGraphNode_t* out, cudaGraph_t graph, const cudaGraphNode_t* after,
                                             size_t count) {
  SPAK_API;
  return add(call, out, graph, after, count, cudaGraphNodeTypeEmpty, {});
}
extern "C" cudaError_t cudaGraphAddChildGraphNode(cudaGraphNode_t* out, cudaGraph_t graph, const cudaGraphNode_t* after,
                                                  size_t count, cudaGraph_t child) {
  SPAK_API;
  auto inner = std::make_shared<CUgraphExec_st>();
  if (!graphs().count(child) || !compile(*child, *inner)) return call(cudaErrorInvalidValue);
  return add(call, out, graph, after, count, cudaGraphNodeTypeGraph, [inner] { run_steps(inner->steps); });
}
// The memory is there from now on, at the address that each launch finds it at; what frees it has nothing to do.
extern "C" cudaError_t cudaGraphAddMemAllocNode(cudaGraphNode_t* out, cudaGraph_t graph, const cudaGraphNode_t* after,
                                                size_t count, cudaMemAllocNodeParams* params) {
  SPAK_API;
  if (!params || !params->bytesize) return call(cudaErrorInvalidValue);
  const cudaError_t error = add(call, out, graph, after, count, cudaGraphNodeTypeMemAlloc, {});
  if (error != cudaSuccess) return error;
  const Allocation* const memory = allocate(Kind::device, params->bytesize, call.function(), {nullptr, 0});
  if (!memory) return call(cudaErrorMemoryAllocation);
  params->dptr = memory->begin;
  return cudaSuccess;
}
extern "C" cudaError_t cudaGraphAddMemFreeNode(cudaGraphNode_t* out, cudaGraph_t graph, const cudaGraphNode_t* after,
                                               size_t count, void* pointer) {
  SPAK_API;
  if (!find(pointer)) return call.wrong(cudaErrorInvalidValue, "the pointer is not one of device memory");
  return add(call, out, graph, after, count, cudaGraphNodeTypeMemFree, {});
}
extern "C" cudaError_t cudaGraphClone(cudaGraph_t* out, cudaGraph_t original) {
  SPAK_API;
  if (!out || !graphs().count(original)) return call(cudaErrorInvalidValue);
  *out = new_graph();
  auto& clones = (*out)->clones;
  for (const auto& node : original->nodes) clones[node.get()] = new_node(**out, node->type, node->body, {});
  for (const auto& node : original->nodes)
    for (cudaGraphNode_t before : node->after) clones[node.get()]->after.push_back(clones.at(before));
  return cudaSuccess;
}
extern "C" cudaError_t cudaGraphNodeFindInClone(cudaGraphNode_t* out, cudaGraphNode_t original, cudaGraph_t clone) {
  SPAK_API;
  if (!out || !graphs().count(clone) || !clone->clones.count(original)) return call(cudaErrorInvalidValue);
  *out = clone->clones.at(original);
  return cudaSuccess;
}
extern "C" cudaError_t cudaGraphKernelNodeSetParams(cudaGraphNode_t node, const cudaKernelNodeParams* params) {
  SPAK_API;
  if (!node || node->type != cudaGraphNodeTypeKernel) return call(cudaErrorInvalidValue);
  return kernel_body(call, params, node->body);
}
extern "C" cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                                const cudaGraphNode_t* to, const cudaGraphEdgeData*, size_t count) {
  SPAK_API;
  if (!graphs().count(graph)) return call(cudaErrorInvalidValue);
  for (size_t i = 0; i < count; ++i) {
    if (!in_graph(*graph, from[i]) || !in_graph(*graph, to[i]))
      return call.wrong(cudaErrorInvalidValue, "not a node of this graph");
    to[i]->after.push_back(from[i]);
  }
  return cudaSuccess;
}
extern "C" cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  SPAK_API;
  if (!count || !graphs().count(graph)) return call(cudaErrorInvalidValue);
  if (nodes)
    for (size_t i = 0; i < *count; ++i) nodes[i] = i < graph->nodes.size() ? graph->nodes[i].get() : nullptr;
  *count = nodes ? std::min(*count, graph->nodes.size()) : graph->nodes.size();
  return cudaSuccess;
}
extern "C" cudaError_t cudaGraphGetRootNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  SPAK_API;
  if (!count || !graphs().count(graph)) return call(cudaErrorInvalidValue);
  size_t found = 0;
  for (const auto& node : graph->nodes) {
    if (!node->after.empty()) continue;
    if (nodes && found < *count) nodes[found] = node.get();
    ++found;
  }
  *count = found;
  return cudaSuccess;
}
extern "C" cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
  SPAK_API;
  if (!node || !type) return call(cudaErrorInvalidValue);
  *type = node->type;
  return cudaSuccess;
}

// --- running -------------------------------------------------------------------------------------------------------------
extern "C" cudaError_t cudaGraphInstantiate(cudaGraphExec_t* out, cudaGraph_t graph, unsigned long long) {
  SPAK_API;
  if (!out || !graphs().count(graph))
    return call.wrong(cudaErrorInvalidValue, "the graph does not exist, or was destroyed");
  auto made = std::make_unique<CUgraphExec_st>();
  if (!compile(*graph, *made)) return call.wrong(cudaErrorInvalidValue, "the dependencies of the graph make a circle");
  *out = made.release();
  execs().insert(*out);
  return cudaSuccess;
}
extern "C" cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* out, cudaGraph_t graph,
                                                     unsigned long long flags) {
  return cudaGraphInstantiate(out, graph, flags);
}
extern "C" cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t) {
  SPAK_API;
  return call(execs().count(exec) ? cudaSuccess : cudaErrorInvalidValue);
}
extern "C" cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  SPAK_API;
  if (!execs().count(exec))
    return call.wrong(cudaErrorInvalidValue, "the graph was not instantiated, or its instance was destroyed");
  return enqueue(call, stream, [steps = exec->steps] { run_steps(steps); });
}
extern "C" cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  SPAK_API;
  if (!execs().erase(exec))
    return call.wrong(cudaErrorInvalidValue, "the graph's instance does not exist, or was destroyed");
  delete exec;
  return cudaSuccess;
}
extern "C" cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                                        const cudaKernelNodeParams* params) {
  SPAK_API;
  CUgraphExec_st::Step* const step = step_of(exec, node, cudaGraphNodeTypeKernel);
  return step ? kernel_body(call, params, step->body) : call(cudaErrorInvalidValue);
}
extern "C" cudaError_t cudaGraphExecMemcpyNodeSetParams1D(cudaGraphExec_t exec, cudaGraphNode_t node, void* to,
                                                          const void* from, size_t bytes, cudaMemcpyKind kind) {
  SPAK_API;
  CUgraphExec_st::Step* const step = step_of(exec, node, cudaGraphNodeTypeMemcpy);
  Transfer t{to, from, bytes};
  t.kind = kind;
  return step ? copy_body(call, t, step->body) : call(cudaErrorInvalidValue);
}
extern "C" cudaError_t cudaGraphExecMemsetNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                                        const cudaMemsetParams* params) {
  SPAK_API;
  CUgraphExec_st::Step* const step = step_of(exec, node, cudaGraphNodeTypeMemset);
  return step ? memset_body(call, params, step->body) : call(cudaErrorInvalidValue);
}
extern "C" cudaError_t cudaGraphExecHostNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                                      const cudaHostNodeParams* params) {
  SPAK_API;
  CUgraphExec_st::Step* const step = step_of(exec, node, cudaGraphNodeTypeHost);
  if (!step || !params || !params->fn) return call(cudaErrorInvalidValue);
  step->body = [kept = *params] { kept.fn(kept.userData); };
  return cudaSuccess;
}
extern "C" cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph,
                                           cudaGraphExecUpdateResultInfo* result) {
  SPAK_API;
  if (!execs().count(exec) || !graphs().count(graph)) return call(cudaErrorInvalidValue);
  CUgraphExec_st fresh;
  const bool sound = compile(*graph, fresh);
  bool same = sound && fresh.steps.size() == exec->steps.size();
  for (std::size_t i = 0; same && i < fresh.steps.size(); ++i)
    same = fresh.steps[i].type == exec->steps[i].type && fresh.steps[i].after == exec->steps[i].after;
  if (result)
    *result = {}, result->result = same ? cudaGraphExecUpdateSuccess : cudaGraphExecUpdateErrorTopologyChanged;
  if (!same) return call(cudaErrorGraphExecUpdateFailure);
  exec->steps = std::move(fresh.steps);
  return cudaSuccess;
}
