// The machine of the emulator of CUDA, for tests that change it. Only where that library is built.
#pragma once

#include "tests/cuda_fixture.h"

#if defined(CUDA_EMULATED_LIBRARY)
#include <dlfcn.h>

#include "tests/cuda_emulator/settings.h"

namespace test_cuda {

template <typename Function>
Function* emulator_function(const char* name) {
  void* const library = dlopen(CUDA_EMULATED_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library != nullptr);
  return reinterpret_cast<Function*>(dlsym(library, name));
}

inline std::size_t memory_in_use() {
  return emulator_function<std::size_t()>("cuda_emulator_memory_in_use")();
}
inline std::size_t objects_in_use() {
  return emulator_function<std::size_t()>("cuda_emulator_objects_in_use")();
}

/// Changes the emulated machine for as long as it lives.
class Machine {
 public:
  explicit Machine(const cuda_emulator::Settings& changed)
      : settings_(emulator_function<cuda_emulator::Settings*()>("cuda_emulator_settings")()),
        before_(*settings_) {
    *settings_ = changed;
  }
  ~Machine() { *settings_ = before_; }

  cuda_emulator::Settings* operator->() { return settings_; }

 private:
  cuda_emulator::Settings* const settings_;
  const cuda_emulator::Settings before_;
};

/// A device of its own library: these tests are the emulator's.
inline bool is_real() {
  const char* const given = std::getenv("GRANULE_TEST_CUDA_LIBRARY");
  return given != nullptr && *given != '\0';
}

}  // namespace test_cuda

#endif
