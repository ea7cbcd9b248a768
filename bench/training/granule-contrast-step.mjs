/**
 * One side of contrast-steps.mjs: the step of torch_contrast_step.py with granule. The same request, the same lines.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { matrix } from '../../dist/esm/index.js';
import {
  AdamW,
  inBatchContrastOfVectors,
  namedParameters,
  Tower,
  zeroParameter,
} from '../../dist/esm/training/index.js';

const request = JSON.parse(process.argv[2]);
const { threads, input, output, files } = request;
const load = (path) => new Float32Array(Uint8Array.from(readFileSync(path)).buffer);
const tower = (path) =>
  Tower.from({ kind: 'linear', input, output }, { weight: load(path), bias: new Float32Array(output) });
const [queries, documents] = [matrix(load(files.queries), input), matrix(load(files.documents), input)];
const [query, document] = [tower(files.queryWeight), tower(files.documentWeight)];
const logTemperature = zeroParameter([1]);
logTemperature.values[0] = Math.log(request.temperature);
const temperatures = { parameters: new Map([['log_temperature', logTemperature]]) };
const parameters = namedParameters({ query, document, contrast: temperatures });
const optimiser = new AdamW(parameters, {
  learningRate: request.rate,
  withoutDecay: ['contrast.log_temperature'],
});

async function step() {
  const [q, d] = [await query.forward(queries, { threads }), await document.forward(documents, { threads })];
  const temperature = Math.exp(logTemperature.values[0]);
  const found = await inBatchContrastOfVectors(q.outputs, d.outputs, { temperature, threads });
  for (const { gradient } of parameters.values()) gradient.fill(0);
  await q.backward(found.queryGradient, { threads });
  await d.backward(found.documentGradient, { threads });
  logTemperature.gradient[0] = temperature * found.temperatureGradient;
  await optimiser.step({ threads });
  return found.loss;
}

for await (const _ of createInterface({ input: process.stdin })) {
  const [start, processor] = [performance.now(), process.cpuUsage()];
  const loss = await step();
  const [seconds, used] = [(performance.now() - start) / 1e3, process.cpuUsage(processor)];
  process.stdout.write(`${JSON.stringify({ seconds, cpuSeconds: (used.user + used.system) / 1e6, loss })}\n`);
}
