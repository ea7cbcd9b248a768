/**
 * The program of an ONNX session's worker thread, as CommonJS source.
 *
 * It is a string because a worker's entry must be a file or a source, and this library is run from ES modules, from
 * CommonJS, from bundles and from TypeScript: only a source is the same in all of them. It therefore stays small, and
 * everything that can be done outside of it is.
 *
 * `workerData`: `{ runtime, model, options, gate }`. Messages in: `{ id, feeds, fetches }` with feeds as
 * `{ name: { type, data, dims } }`, or `'close'`. Messages out: `{ ready: { inputs, outputs } }`,
 * `{ failed: 'runtime' | 'model', message }`, `{ id, outputs }` or `{ id, message }`.
 *
 * `gate[0]` says what the worker does: 0 idle, 1 inside of the native runtime, 2 must not enter it any more. To stop a
 * thread inside of the runtime aborts the whole process (the runtime throws across the stopped thread), so whoever ends
 * the process closes the gate and waits first.
 */
export const ONNX_WORKER_SOURCE = `'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const { createRequire } = require('node:module');
const { runtime, model, options, gate } = workerData;

const enter = () => Atomics.compareExchange(gate, 0, 0, 1) === 0;
const leave = () => {
  Atomics.store(gate, 0, 0);
  Atomics.notify(gate, 0);
};
const messageOf = (error) => String((error && error.message) || error);

let ort;
let session;

async function start() {
  if (!enter()) return;
  try {
    try {
      ort = createRequire(runtime)(runtime);
    } catch (error) {
      parentPort.postMessage({ failed: 'runtime', message: messageOf(error) });
      return parentPort.close();
    }
    try {
      session = await ort.InferenceSession.create(model, options);
    } catch (error) {
      parentPort.postMessage({ failed: 'model', message: messageOf(error) });
      return parentPort.close();
    }
  } finally {
    leave();
  }
  parentPort.postMessage({ ready: { inputs: session.inputMetadata, outputs: session.outputMetadata } });
  parentPort.on('message', (message) => (message === 'close' ? close() : run(message)));
}

async function run({ id, feeds, fetches }) {
  if (!enter()) return;
  let reply;
  const transfer = [];
  try {
    const tensors = {};
    for (const [name, { type, data, dims }] of Object.entries(feeds)) tensors[name] = new ort.Tensor(type, data, dims);
    const results = await session.run(tensors, fetches);
    const outputs = {};
    for (const name of fetches) {
      // Copied, because the memory of a result belongs to the runtime.
      const data = results[name].data.slice();
      outputs[name] = { type: results[name].type, data, dims: Array.from(results[name].dims) };
      if (data.buffer instanceof ArrayBuffer) transfer.push(data.buffer);
    }
    reply = { id, outputs };
  } catch (error) {
    reply = { id, message: messageOf(error) };
  } finally {
    leave();
  }
  parentPort.postMessage(reply, transfer);
}

async function close() {
  if (enter()) {
    try {
      await session.release();
    } finally {
      leave();
    }
  }
  parentPort.close();
}

start();
`;
