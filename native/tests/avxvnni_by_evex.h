#pragma once

#include "kernels/code_maxsim/code_maxsim.h"
#include "kernels/code_scan/code_scan.h"

/// The AVX-VNNI kernels with the same instruction in AVX-512's encoding, for processors that have only that
/// one: everything but the encoding is tested.
namespace avxvnni_by_evex {

granule::CodeScan code_scan;
granule::CodeScan code_scan_two_planes;
granule::CodeMaxsim code_maxsim;

}  // namespace avxvnni_by_evex
