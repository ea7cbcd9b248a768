/**
 * Times whole training steps of granule and of PyTorch in turn: two linear towers with normalised outputs, InfoNCE in both directions with
 * a learned temperature, AdamW; the same vectors, weights and threads.
 *
 *     node bench/training/contrast-steps.mjs [--threads <n>] [--steps 10]
 *
 * PyTorch is Debian's: apt-get install python3-torch libopenblas0-pthread. Prints a JSON object per size: of both the least and the median
 * seconds of a step, the least of the processor, and the losses of the first and the last step, which agree. A step that differs from the
 * other side's by more than 1e-3 ends the program.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runtimeInfo } from '../../dist/esm/index.js';
import { python } from '../contenders/python.mjs';

const SIZES = [
  { batch: 4096, input: 512, output: 512 },
  { batch: 256, input: 768, output: 128 },
];
const TEMPERATURE = 0.05;
const RATE = 1e-3;

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: String(availableParallelism()) },
    steps: { type: 'string', default: '10' },
  },
});
const [threads, steps] = [Number(options.threads), Number(options.steps)];

const torch = python({
  name: 'torch',
  file: '../training/torch_contrast_step.py',
  modules: ['torch', 'numpy'],
  kind: 'training',
  install: 'apt-get install python3-torch libopenblas0-pthread',
});
const reason = torch.absent();
if (reason !== undefined) {
  process.stderr.write(`contrast-steps: ${reason}\n`);
  process.exit(1);
}

const CONTENDERS = {
  granule: (request) => [
    process.execPath,
    [fileURLToPath(new URL('granule-contrast-step.mjs', import.meta.url)), request],
  ],
  torch: torch.program,
};

/** Numbers from -1 to 1 by mulberry32. */
function randomNumbers(count, seed) {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

function writeInputs(folder, { batch, input, output }) {
  const scale = Math.sqrt(6 / (input + output));
  const queries = randomNumbers(batch * input, 1);
  const noise = randomNumbers(batch * input, 2);
  const arrays = {
    queries,
    // Something to learn: a query is its document with as much noise again.
    documents: queries.map((x, i) => x + noise[i]),
    queryWeight: randomNumbers(output * input, 3).map((x) => x * scale),
    documentWeight: randomNumbers(output * input, 4).map((x) => x * scale),
  };
  return Object.fromEntries(
    Object.entries(arrays).map(([name, data]) => {
      const path = join(folder, `${name}.f32`);
      writeFileSync(path, data);
      return [name, path];
    }),
  );
}

/** A contender's process, which takes a step when asked. */
function start(program, request) {
  const [command, args] = program(JSON.stringify(request));
  const environment = torch.environment(threads, runtimeInfo().cpuFeatures);
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async step() {
      child.stdin.write('\n');
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended`);
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

async function measure(size, folder) {
  const request = {
    ...size,
    threads,
    rate: RATE,
    temperature: TEMPERATURE,
    files: writeInputs(folder, size),
  };
  const processes = Object.entries(CONTENDERS).map(([name, program]) => [name, start(program, request)]);
  const taken = new Map(processes.map(([name]) => [name, []]));
  // Two more, which warm up and are not counted.
  for (let k = 0; k < steps + 2; k++) {
    for (const [name, process] of processes) taken.get(name).push(await process.step());
    const [ours, theirs] = [...taken.values()].map((list) => list.at(-1).loss);
    if (!(Math.abs(ours - theirs) <= 1e-3 * Math.max(1, theirs))) {
      throw new Error(`the losses of step ${k} differ: ${ours} and ${theirs}`);
    }
  }
  for (const [, process] of processes) process.end();
  const result = { ...size, threads, steps };
  for (const [name, list] of taken) {
    const counted = list.slice(2);
    result[name] = {
      leastSeconds: Math.min(...counted.map(({ seconds }) => seconds)),
      medianSeconds: median(counted.map(({ seconds }) => seconds)),
      leastCpuSeconds: Math.min(...counted.map(({ cpuSeconds }) => cpuSeconds)),
      losses: [list[0].loss, list.at(-1).loss],
    };
  }
  result.timesAsFast = result.torch.leastSeconds / result.granule.leastSeconds;
  return result;
}

const folder = mkdtempSync(join(tmpdir(), 'granule-contrast-'));
try {
  for (const size of SIZES) process.stdout.write(`${JSON.stringify(await measure(size, folder))}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
