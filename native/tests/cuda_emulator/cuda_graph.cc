#include <cstdlib>
#include <memory>

#include "machine.h"

namespace cuda_emulator {

class Graph {
 public:
  std::vector<std::function<void()>> work;
};

class GraphExec {
 public:
  std::vector<std::function<void()>> work;
  /// Runs that were asked for and have not happened.
  std::atomic<int> pending{0};
};

}  // namespace cuda_emulator

using namespace cuda_emulator;

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (const cudaError_t error = error_of_device(stream->device); error != cudaSuccess) return error;
  return stream->begin_capture();
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  auto out = std::make_unique<Graph>();
  const bool sound = stream->end_capture(&out->work);
  if (const cudaError_t error = error_of_device(stream->device); error != cudaSuccess) return error;
  if (!sound) return report(cudaErrorStreamCaptureInvalidated);
  *graph = out.release();
  count_object(1);
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  count_object(-1);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  if (const cudaError_t error = error_of_device(current_device()); error != cudaSuccess) return error;
  *exec = new GraphExec{graph->work, {}};
  count_object(1);
  ++traffic().graphs;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  // Its runs must have been waited for.
  if (exec->pending != 0 && settings().lost_devices == 0u) std::abort();
  delete exec;
  count_object(-1);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  if (const cudaError_t error = count_launch(stream); error != cudaSuccess) return error;
  ++traffic().submissions;
  ++exec->pending;
  stream->put([exec] {
    for (const std::function<void()>& work : exec->work) work();
    --exec->pending;
  });
  return cudaSuccess;
}
