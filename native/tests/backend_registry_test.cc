#include "backends/backend_registry.h"

#include <doctest/doctest.h>

#include <string>

#include "backends/shared_library.h"
#include "tests/search_fixture.h"

using namespace granule;

namespace {

BackendEntry open_fake(const std::string& kind) {
  return open_backend_library("fake", FAKE_BACKEND_FOLDER "/libfake_backend_" + kind + ".so");
}

}  // namespace

TEST_CASE("the CPU backend is always there, and the absence of CUDA carries its reason") {
  const auto engine = test_search::engine_for(Isa::scalar, 1);
  REQUIRE(engine->backends.find("cpu") != nullptr);
  CHECK(engine->backends.find("cpu")->available);
  REQUIRE(engine->backends.find("cuda") != nullptr);
  CHECK_FALSE(engine->backends.find("cuda")->available);
  CHECK(engine->backends.find("cuda")->reason.find("granule_cuda") != std::string::npos);
  CHECK(engine->backends.find("tpu") == nullptr);
}

TEST_CASE("a library that fits is opened, and its failures become messages") {
  const BackendEntry entry = open_fake("good");
  REQUIRE(entry.available);
  CHECK(entry.score == 7);
  CHECK(entry.reason == "made for tests");
  char message[64] = "";
  CHECK(entry.backend.search(entry.backend.self, nullptr, nullptr, message, sizeof message) ==
        GRANULE_FAILED);
  CHECK(std::string(message) == "the device was lost");
}

TEST_CASE("a library that refuses, speaks another version, or is no backend is left alone, with the reason") {
  CHECK_FALSE(open_fake("refuses").available);
  CHECK(open_fake("refuses").reason == "no device");
  CHECK_FALSE(open_fake("wrong_version").available);
  CHECK(open_fake("wrong_version").reason.find("version " + std::to_string(GRANULE_BACKEND_ABI + 1)) !=
        std::string::npos);
  CHECK_FALSE(open_fake("no_entry").available);
  CHECK(open_fake("no_entry").reason.find("exports no granule_backend_entry") != std::string::npos);
  CHECK_FALSE(open_fake("missing").available);
}

TEST_CASE("the folder of the running code is found") {
  CHECK_FALSE(folder_of_code(reinterpret_cast<const void*>(&shared_library_file)).empty());
}
