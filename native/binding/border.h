#pragma once

namespace granule {

// What TypeScript this addon was written for; scripts/native-border.mjs writes it.
inline constexpr char kBorder[] = "0ed9d403735c57a5";

}  // namespace granule
