// The addon's table of exports; src/native/addon-types.ts describes each.
#include <napi.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "backends/shared_library.h"
#include "binding/addon_instance.h"
#include "binding/allocator_binding.h"
#include "binding/border.h"
#include "binding/cancel_token_binding.h"
#include "binding/errors.h"
#include "binding/file_lock_binding.h"
#include "binding/flat_index_binding.h"
#include "binding/late_interaction_binding.h"
#include "binding/multi_vector_index_binding.h"
#include "binding/pooling_binding.h"
#include "binding/refinement_binding.h"
#include "binding/runtime_info_binding.h"
#include "binding/softmax_binding.h"
#include "binding/sparse_index_binding.h"
#include "binding/training_adamw_binding.h"
#include "binding/training_contrast_binding.h"
#include "binding/training_tower_binding.h"

namespace granule {
namespace {

Napi::Value initialize(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Function error_class = info[0].As<Napi::Function>();
  const CpuFeatures features = detect_cpu_features();
  KernelChoice choice;
  const Status status = choose_kernels(features, std::getenv("GRANULE_ISA"), &choice);
  if (!status.ok()) {
    const Napi::Value error =
        error_class.New({Napi::String::New(env, error_code(status.code)),
                         Napi::String::New(env, status.message), Napi::Object::New(env)});
    napi_throw(env, error);
    return env.Undefined();
  }
  auto engine = std::make_shared<Engine>(std::move(choice), features,
                                         folder_of_code(reinterpret_cast<const void*>(&initialize)));
  env.SetInstanceData(new AddonInstance(env, std::move(engine), error_class));
  return env.Undefined();
}

Napi::Object export_all(Napi::Env env, Napi::Object exports) {
  exports.Set("border", Napi::String::New(env, kBorder));
  exports.Set("initialize", Napi::Function::New<initialize>(env, "initialize"));
  exports.Set("CancelToken", CancelTokenBinding::define(env));
  exports.Set("FileLock", FileLockBinding::define(env));
  exports.Set("FlatIndex", FlatIndexBinding::define(env));
  exports.Set("MultiVectorIndex", MultiVectorIndexBinding::define(env));
  exports.Set("SparseIndex", SparseIndexBinding::define(env));
  exports.Set("boundAllocator", Napi::Function::New<bound_allocator>(env, "boundAllocator"));
  exports.Set("poolVectors", Napi::Function::New<pool_vectors_call>(env, "poolVectors"));
  exports.Set("refineQuery", Napi::Function::New<refine_query_call>(env, "refineQuery"));
  exports.Set("scoreDocuments", Napi::Function::New<score_documents_call>(env, "scoreDocuments"));
  exports.Set("similarityTile", Napi::Function::New<similarity_tile_call>(env, "similarityTile"));
  exports.Set("softmaxTopK", Napi::Function::New<softmax_top_k>(env, "softmaxTopK"));
  exports.Set("towerForward", Napi::Function::New<tower_forward_call>(env, "towerForward"));
  exports.Set("towerBackward", Napi::Function::New<tower_backward_call>(env, "towerBackward"));
  exports.Set("adamwStep", Napi::Function::New<adamw_step_call>(env, "adamwStep"));
  exports.Set("inBatchContrast", Napi::Function::New<in_batch_contrast_call>(env, "inBatchContrast"));
  exports.Set("inBatchContrastOfTowers",
              Napi::Function::New<in_batch_contrast_of_towers_call>(env, "inBatchContrastOfTowers"));
  exports.Set("patchContrast", Napi::Function::New<patch_contrast_call>(env, "patchContrast"));
  exports.Set("runtimeInfo", Napi::Function::New<runtime_info>(env, "runtimeInfo"));
  return exports;
}

}  // namespace
}  // namespace granule

static Napi::Object init(Napi::Env env, Napi::Object exports) { return granule::export_all(env, exports); }

NODE_API_MODULE(granule, init)
