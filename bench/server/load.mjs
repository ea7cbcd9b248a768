/**
 * Load on `granule serve` over loopback: clients that ask one request after the other, each over a kept connection.
 *
 *     node bench/server/load.mjs <kb> --image <picture> [--clients 64] [--seconds 60] [--warm-up 5] [--only search|ask] [--json]
 *
 * Prints for searches and for questions: requests per second, the median and the 99th percentile of their time, statuses,
 * and how the server's memory grew: the rise of a line through its samples (after a longer warm-up, a leak shows). At the
 * end the server is told to stop while the clients go on: a request that was sent and got no reply is lost, and none may be.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const CLI = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'dist', 'esm', 'cli', 'main.js');
const TEXTS = [
  'countries by the sea',
  'capital city',
  'the currency in use',
  'neighbouring countries',
  'languages spoken',
];
const QUESTION = 'What is the capital of this country?';
/** Seconds between two looks at the server's memory. */
const SAMPLE = 15;
/** Seconds of load when the server is told to stop. */
const BEFORE_STOP = 2;

const { values, positionals } = readArguments();
const [kb] = positionals;
if (kb === undefined || values.image === undefined) {
  console.error(
    'usage: node bench/server/load.mjs <kb> --image <picture> [--clients 64] [--seconds 60] [--warm-up 5] [--only search|ask] [--json]',
  );
  process.exit(2);
}
const image = readFileSync(values.image).toString('base64');
const workloads = {
  search: (i) => ({ path: '/v1/search', body: JSON.stringify({ text: TEXTS[i % TEXTS.length] }) }),
  ask: () => ({ path: '/v1/ask', body: JSON.stringify({ question: QUESTION, image }) }),
};

const server = await startServer();
const report = { clients: Number(values.clients), seconds: Number(values.seconds), workloads: {} };
try {
  for (const [name, workload] of Object.entries(workloads)) {
    if (values.only !== undefined && values.only !== name) continue;
    await load(workload, Number(values['warm-up']));
    const samples = [await residentBytes()];
    const sampler = setInterval(async () => samples.push(await residentBytes()), SAMPLE * 1000);
    const measured = await load(workload, report.seconds);
    clearInterval(sampler);
    samples.push(await residentBytes());
    report.workloads[name] = { ...summary(measured), residentBytes: { samples, growth: growth(samples) } };
    if (!values.json) print(name, report.workloads[name]);
  }
  report.stop = await stopUnderLoad(workloads[values.only ?? 'search']);
  console.log(values.json ? JSON.stringify(report) : `stop under load: ${JSON.stringify(report.stop)}`);
} finally {
  server.child.kill('SIGKILL');
}

/** Starts the server, whose log goes nowhere but for its address. */
async function startServer() {
  const child = spawn(process.execPath, [CLI, 'serve', kb, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.on('exit', resolve));
  const url = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const found = /"msg":"listening"/.test(text) && /"url":"([^"]+)"/.exec(text)?.[1];
      if (found) resolve(found);
    });
    exited.then((code) => reject(new Error(`the server ended with status ${code}`)));
  });
  return { child, url, exited };
}

/** Lets every client ask, one request after the other, until the time is over or `stopped` says so. */
async function load(workload, seconds, stopped = () => false) {
  const agent = new Agent({ keepAlive: true, maxSockets: report.clients });
  const results = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  let number = 0;
  await Promise.all(
    Array.from({ length: report.clients }, async () => {
      while (performance.now() < end && !stopped()) {
        const result = await send(agent, workload(number++));
        results.push(result);
        // Nobody listens any more: a client that went on would only measure refusals.
        if (result.status === 'ECONNREFUSED') return;
        if (result.status === 429) await delay(Number(result.retryAfter) * 1000);
      }
    }),
  );
  agent.destroy();
  return { results, seconds: (performance.now() - start) / 1000 };
}

function send(agent, { path, body }) {
  const start = performance.now();
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const settle = (status, retryAfter) =>
      resolve({ status, retryAfter, milliseconds: performance.now() - start });
    request(`${server.url}${path}`, { method: 'POST', agent, headers }, (reply) => {
      reply.resume();
      reply.on('end', () => settle(reply.statusCode, reply.headers['retry-after']));
      reply.on('error', (error) => settle(error.code));
    })
      .on('error', (error) => settle(error.code))
      .end(body);
  });
}

/** Tells the server to stop amid requests, and counts what becomes of them. */
async function stopUnderLoad(workload) {
  const loaded = load(workload, 60);
  await delay(BEFORE_STOP * 1000);
  const start = performance.now();
  server.child.kill('SIGTERM');
  const { results } = await loaded;
  const exitStatus = await server.exited;
  const lost = results.filter(({ status }) => typeof status !== 'number' && status !== 'ECONNREFUSED').length;
  return {
    exitStatus,
    seconds: (performance.now() - start) / 1000,
    answered: results.length,
    lost,
    ...statuses(results),
  };
}

async function residentBytes() {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)[1]);
}

/** By how much the line through the samples (least squares) rises from the first to the last, as a share of their mean. */
function growth(samples) {
  const middle = (samples.length - 1) / 2;
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  let rise = 0;
  let spread = 0;
  for (const [i, sample] of samples.entries()) {
    rise += (i - middle) * (sample - mean);
    spread += (i - middle) ** 2;
  }
  return ((rise / spread) * (samples.length - 1)) / mean;
}

function summary({ results, seconds }) {
  const times = Float64Array.from(
    results.filter(({ status }) => status === 200),
    ({ milliseconds }) => milliseconds,
  ).sort();
  const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
  return {
    requestsPerSecond: times.length / seconds,
    p50: at(0.5),
    p99: at(0.99),
    slowest: at(1),
    ...statuses(results),
  };
}

function statuses(results) {
  const counts = {};
  for (const { status } of results) counts[status] = (counts[status] ?? 0) + 1;
  return { statuses: counts };
}

function print(name, { requestsPerSecond, p50, p99, slowest, statuses: counts, residentBytes: bytes }) {
  const times = `median ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, slowest ${slowest.toFixed(1)} ms`;
  const megabytes = bytes.samples.map((sample) => (sample / 1e6).toFixed(0)).join(' ');
  const memory = `${megabytes} MB (${(100 * bytes.growth).toFixed(1)} %)`;
  console.log(
    `${name}: ${requestsPerSecond.toFixed(1)}/s, ${times}, statuses ${JSON.stringify(counts)}, memory ${memory}`,
  );
}

/** Without a knowledge base, and so with the usage shown, where an option is unknown. */
function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        image: { type: 'string' },
        clients: { type: 'string', default: '64' },
        seconds: { type: 'string', default: '60' },
        'warm-up': { type: 'string', default: '5' },
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    console.error(error.message);
    return { values: {}, positionals: [] };
  }
}
