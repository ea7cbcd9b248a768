#pragma once

#include <string>

namespace granule {

/// Loads a shared library for the rest of the process.
/// @return its handle, or null with the system's message in `error`
void* load_shared_library(const std::string& path, std::string* error);

/// The address of an exported function, or null.
void* find_symbol(void* library, const char* name);

/// The folder of the shared library or executable that holds `address`; empty where unknown.
std::string folder_of_code(const void* address);

/// File name of the shared library `name` on this system: libname.so, libname.dylib or name.dll.
std::string shared_library_file(const std::string& name);

}  // namespace granule
