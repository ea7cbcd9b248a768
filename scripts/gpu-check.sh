#!/usr/bin/env bash
# On a machine with an NVIDIA device, nvcc, CMake and Python 3: builds the CUDA backend for that device, compares it with the
# processor bit for bit, looks for bad memory accesses and races, measures it beside what the device can do at most and
# beside PyTorch and Triton, and prints one table. Ends with 1 where something failed; a missed target is a result.
#
#     scripts/gpu-check.sh [check] [measure] [compare]      all three by default
#
# check    builds, runs the tests of CUDA, runs some of them under compute-sanitizer, and through Node where it is there
# measure  what the device can do at most, and what searches on it take
# compare  the same by torch and by a Triton kernel, where those are there
# Each fits into ten minutes and may be a call of its own: results stay in build/gpu-check until the next check, and the table
# is made of all of them.
# A step that runs for longer than its limit is ended and counts as failed. In the environment:
#
# OUT            folder that the table, the results and the logs are copied to
# DOCTEST        folder that holds doctest/doctest.h, where the compiler does not find it by itself; without it no test runs
# ARCHITECTURES  compute capabilities to compile for; those of the devices by default
# NODE           node, or a gzipped one: runs a built package (dist/, build/Release/) on the device; node on PATH by default
# PYTHON         python3 by default
# QUICK          measures and compares at a tenth of the size
# EMULATED       for trying this script out: the emulator of the tests takes the place of a device, at tiny sizes
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

python=${PYTHON:-python3}
folder=build/gpu-check${EMULATED:+-emulated}
build=build/cuda${EMULATED:+-emulated}
binaries=$build/native/backends/cuda
failed=0
stages=("$@")
((${#stages[@]} > 0)) || stages=(check measure compare)

say() { printf '%s\n' "$*" | tee -a "$folder/summary.txt"; }
skip() { say "$(printf '%-28s SKIPPED  %s' "$1" "$2")"; }

# step <limit in seconds> <name> <command...>: its output goes to a log, whose end is shown where it fails.
step() {
  local limit=$1 name=$2 started=$SECONDS code=0 word=ok
  shift 2
  timeout --kill-after=10 "$limit" "$@" >"$folder/$name.log" 2>&1 || code=$?
  ((code == 0)) || word=FAILED
  ((code != 124 && code != 137)) || word='TOO LONG'
  say "$(printf '%-28s %-8s %4d s' "$name" "$word" $((SECONDS - started)))"
  ((code == 0)) && return 0
  tail -n 30 "$folder/$name.log" | sed 's/^/    /' | tee -a "$folder/summary.txt"
  failed=1
  return 1
}

# results <limit> <name> <command...>: a step whose lines of JSON are results, those that came before a failure too.
results() {
  local name=$2 code=0
  step "$@" || code=1
  grep '^{' "$folder/$name.log" >"$folder/$name.jsonl"
  return "$code"
}

build_all() {
  local generator=() settings=() architectures targets=()
  command -v ninja >/dev/null && generator=(-G Ninja)
  [ -z "${DOCTEST:-}" ] || settings+=("-Ddoctest_include=$DOCTEST")
  if [ -n "${EMULATED:-}" ]; then
    targets=(--target granule_tests granule_cuda_emulated granule_cuda_bench)
  else
    architectures=${ARCHITECTURES:-$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | tr -d . | sort -u | sed 's/^90$/90a/' | paste -sd';')}
    [ -n "$architectures" ] || { say 'no device was found, and ARCHITECTURES names none'; return 1; }
    settings+=(-DGRANULE_CUDA=ON "-DGRANULE_CUDA_ARCHITECTURES=$architectures")
  fi
  step 60 configure cmake "${generator[@]}" -S . -B "$build" -DCMAKE_BUILD_TYPE=Release "${settings[@]}" || return 1
  step 300 build cmake --build "$build" --parallel "$(nproc)" "${targets[@]}"
}

run_tests() {
  local tests=$build/granule_tests tool
  if [ ! -x "$tests" ]; then
    skip tests 'doctest was not found (DOCTEST)'
    return
  fi
  # The tests of the emulator's faults need no device; the others run on one.
  step 180 tests "$tests" '--test-case=CUDA*'
  say "    $(grep -m 1 -o 'batches by .*' "$folder/tests.log" || echo 'no word of how batches are scanned')"
  for tool in memcheck racecheck synccheck; do
    if [ -n "${EMULATED:-}" ]; then
      skip "$tool" 'there is no device'
    elif ! command -v compute-sanitizer >/dev/null; then
      skip "$tool" 'compute-sanitizer is not on PATH'
    else
      step 90 "$tool" compute-sanitizer --tool "$tool" --error-exitcode 1 "$tests" '--test-case=CUDA: *odd*'
    fi
  done
}

# The built package on the device: the same bits as on the processor.
run_node() {
  local node=${NODE:-$(command -v node)}
  if [ -z "$node" ]; then
    skip node 'node is not on PATH (NODE)'
  elif [ ! -e dist/esm/index.js ] || [ ! -e build/Release/granule.node ]; then
    skip node 'the package is not built (npm ci)'
  else
    if [[ $node == *.gz ]]; then
      gunzip -c "$node" >"$folder/node" && chmod +x "$folder/node" || failed=1
      node=$folder/node
    fi
    rm -rf "$folder/indexes"
    step 120 node "$node" test/runtime/scripts/devices.mjs "file://$PWD/dist/esm/index.js" "$folder/indexes" || return
    if ! grep -q '"compared":{"' "$folder/node.log" || grep -q false "$folder/node.log"; then
      say '    the bits differ, or nothing was compared:'
      say "$(cat "$folder/node.log")"
      failed=1
    fi
    if [ -d node_modules/vitest ]; then
      step 180 node-conformance "$node" scripts/test-ts.mjs test/conformance/cuda.test.ts
    else
      skip node-conformance 'vitest is not installed (npm ci)'
    fi
  fi
}

check() {
  # Results of an earlier build say nothing about this one.
  rm -f "$folder"/*.jsonl
  build_all || { failed=1; return; }
  find_library || { failed=1; return; }
  run_tests
  run_node
}

find_library() {
  local library
  library=$(find "$PWD/$binaries" -name "libgranule_cuda${EMULATED:+_emulated}.so" 2>/dev/null | head -n 1)
  [ -n "$library" ] || { say 'the library is not built: run the stage check first'; return 1; }
  export GRANULE_CUDA_LIBRARY=$library GRANULE_TEST_CUDA_LIBRARY=$library
}

measure() {
  find_library || { failed=1; return; }
  local bench=$binaries/granule_cuda_bench
  if [ -n "${EMULATED:-}" ]; then
    skip roofline 'there is no device'
    results 120 measure-rows "$bench" rows 3000 64 10 1 9
    results 120 measure-documents "$bench" documents 60 17 32 16 3 1
    results 120 measure-rerank "$bench" rerank 200 17 32 16 3 4 10
    return
  fi
  results 60 roofline "$binaries/granule_cuda_roofline"
  if [ -n "${QUICK:-}" ]; then
    results 120 measure-rows "$bench" rows 1000000 768 10 1 1024
    results 120 measure-documents "$bench" documents 10000 1030 128 32 10 1
  else
    results 240 measure-rows "$bench" rows 10000000 768 10 1 1024
    results 240 measure-documents "$bench" documents 100000 1030 128 32 10 1
  fi
  results 120 measure-rerank "$bench" rerank 12800 256 128 32 10 32 100
}

compare() {
  local sizes=(--rows 10000000 --dimension 768 --queries 1024 1)
  local rerank=(--queries 32 --candidates 100 --document-vectors 256 --dimension 128 --query-vectors 32)
  [ -z "${QUICK:-}" ] || sizes=(--rows 1000000 --dimension 768 --queries 1024 1)
  if [ -n "${EMULATED:-}" ]; then
    export TRITON_INTERPRET=1
    sizes=(--device cpu --rows 3000 --dimension 64 --queries 9 1 --seconds 0.1)
    rerank=(--device cpu --queries 4 --candidates 10 --document-vectors 17 --dimension 32 --query-vectors 16)
  fi
  if "$python" -c 'import torch' 2>/dev/null; then
    results 240 torch "$python" bench/cuda/torch_scan.py "${sizes[@]}"
  else
    skip torch "$python has no torch"
  fi
  if "$python" -c 'import torch, triton' 2>/dev/null; then
    results 240 triton "$python" bench/cuda/triton_maxsim.py "${rerank[@]}"
  else
    skip triton "$python has no triton"
  fi
}

# The table of all results that there are, and the copies in OUT.
finish() {
  say ''
  "$python" bench/cuda/table.py "$folder" --json "$folder/table.json" >"$folder/table.txt" 2>&1 || failed=1
  say "$(cat "$folder/table.txt")"
  [ -n "${OUT:-}" ] || return
  cat "$folder"/*.jsonl >"$OUT/results.jsonl"
  cp "$folder/table.txt" "$folder/table.json" "$folder/summary.txt" "$OUT"
  tar -czf "$OUT/logs.tar.gz" -C "$folder" --exclude=node --exclude=indexes .
}

for stage in "${stages[@]}"; do
  [[ $stage =~ ^(check|measure|compare)$ ]] || { echo "usage: scripts/gpu-check.sh [check] [measure] [compare]"; exit 2; }
done
mkdir -p "$folder"
: >"$folder/summary.txt"
if [ -n "${EMULATED:-}" ]; then
  say 'EMULATED: no device was used; the times say nothing.'
elif command -v nvidia-smi >/dev/null; then
  say "$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader)"
fi
for stage in "${stages[@]}"; do "$stage"; done
finish
exit "$failed"
