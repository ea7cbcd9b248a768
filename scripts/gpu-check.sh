#!/usr/bin/env bash
# On a machine with an NVIDIA device, nvcc and CMake: builds the CUDA backend, compares it with the processor bit for bit, looks for
# bad memory accesses and races where compute-sanitizer is there, measures, and prints one table. Node is not needed.
#
#     scripts/gpu-check.sh [folder for the logs]
#
# DOCTEST: the folder that holds doctest/doctest.h, where the compiler does not find it by itself; without it nothing is compared.
# ARCHITECTURES: compute capabilities to compile for; those of the devices by default.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
logs=${1:-build/gpu-check}
mkdir -p "$logs"
build=build/cuda
failed=0

say() { printf '%s\n' "$*" | tee -a "$logs/summary.txt"; }
: >"$logs/summary.txt"

# step <name> <command...>: its output goes to a log, whose end is shown where it fails.
step() {
  local name=$1 started=$SECONDS code=0
  shift
  "$@" >"$logs/$name.log" 2>&1 || code=$?
  if ((code == 0)); then
    say "$(printf '%-28s ok       %4d s' "$name" $((SECONDS - started)))"
  else
    say "$(printf '%-28s FAILED   %4d s' "$name" $((SECONDS - started)))"
    tail -n 30 "$logs/$name.log" | sed 's/^/    /'
    failed=1
  fi
  return "$code"
}

command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee -a "$logs/summary.txt"
architectures=${ARCHITECTURES:-$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | tr -d . | sort -u | sed 's/^90$/90a/' | paste -sd';')}
[ -n "$architectures" ] || { say "no device was found, and ARCHITECTURES names none"; exit 1; }

generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
doctest=()
[ -z "${DOCTEST:-}" ] || doctest=("-Ddoctest_include=$DOCTEST")
step configure cmake "${generator[@]}" -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DGRANULE_CUDA=ON \
  "-DGRANULE_CUDA_ARCHITECTURES=$architectures" "${doctest[@]}" || exit 1
step build cmake --build "$build" --parallel "$(nproc)" || exit 1

library=$(find "$PWD/$build" -name 'libgranule_cuda.so' | head -n 1)
export GRANULE_CUDA_LIBRARY=$library GRANULE_TEST_CUDA_LIBRARY=$library
if [ -x "$build/granule_tests" ]; then
  step conformance "$build/granule_tests" "--test-case=CUDA:*"
  say "    $(grep -m 1 -o 'batches by .*' "$logs/conformance.log" || echo 'no word of how batches are scanned')"
  if command -v compute-sanitizer >/dev/null; then
    step memcheck compute-sanitizer --tool memcheck --error-exitcode 1 "$build/granule_tests" "--test-case=CUDA: *odd*"
    step racecheck compute-sanitizer --tool racecheck --error-exitcode 1 "$build/granule_tests" "--test-case=CUDA: *odd*"
  else
    say "memcheck, racecheck: SKIPPED, compute-sanitizer is not on PATH"
  fi
else
  say "conformance: SKIPPED, doctest was not found (DOCTEST)"
fi

step roofline "$build/native/backends/cuda/granule_cuda_roofline" && say "$(cat "$logs/roofline.log")"
# measure <rows> <dimension> <queries> <k> [vectors of a document]
measure() {
  local name
  name=measure-$(IFS=-; echo "$*")
  step "$name" "$build/native/backends/cuda/granule_cuda_bench" "$@" && say "    $(cat "$logs/$name.log")"
}
measure 1000000 768 1 10
measure 1000000 768 1024 10
measure 100000 128 32 10 256
if [ -z "${QUICK:-}" ]; then
  measure 10000000 768 1 10
  measure 10000000 768 1024 10
  measure 100000 128 32 10 1030
fi
exit "$failed"
