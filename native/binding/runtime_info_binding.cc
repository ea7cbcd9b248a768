#include "binding/runtime_info_binding.h"

#include <string>
#include <vector>

#include "backends/backend.h"
#include "binding/addon_instance.h"

namespace granule {
namespace {

Napi::Array to_array(Napi::Env env, const std::vector<std::string>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) array.Set(static_cast<uint32_t>(i), values[i]);
  return array;
}

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "gcc " __VERSION__;
#elif defined(_MSC_VER)
  return "msvc " + std::to_string(_MSC_VER);
#else
  return "unknown";
#endif
}

}  // namespace

Napi::Value runtime_info(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Engine& engine = *env.GetInstanceData<AddonInstance>()->engine();

  std::vector<std::string> isas;
  for (const Isa isa : available_isas(engine.features)) isas.emplace_back(isa_name(isa));
  Napi::Array backends = Napi::Array::New(env);
  for (const BackendEntry& entry : engine.backends.entries()) {
    Napi::Object backend = Napi::Object::New(env);
    backend.Set("name", entry.name);
    backend.Set("available", entry.available);
    backend.Set("reason", entry.reason);
    backends.Set(backends.Length(), backend);
  }
  Napi::Object kernels = Napi::Object::New(env);
  for (const KernelName& kernel : kernel_names(*engine.kernels.table))
    kernels.Set(kernel.operation, kernel.symbol);

  Napi::Object out = Napi::Object::New(env);
  out.Set("abi", GRANULE_BACKEND_ABI);
  out.Set("isa", isa_name(engine.kernels.table->isa));
  out.Set("isaReason", engine.kernels.reason);
  out.Set("isaAvailable", to_array(env, isas));
  out.Set("cpuFeatures", to_array(env, engine.features.names()));
  out.Set("threads", ThreadPool::default_threads());
  out.Set("backends", backends);
  out.Set("kernels", kernels);
  out.Set("compiler", compiler());
  return out;
}

}  // namespace granule
