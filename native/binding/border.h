#pragma once

namespace granule {

// What TypeScript this addon was written for; scripts/native-border.mjs writes it.
inline constexpr char kBorder[] = "d01149d533819c38";

}  // namespace granule
