/**
 * Load on `granule serve` over loopback: clients that ask one request after the other, each over a kept connection.
 *
 *     node bench/server/load.mjs <kb> --image <picture> [--clients 64] [--seconds 60] [--warm-up 5] [--only search|ask] [--json]
 *
 * Prints for searches and for questions: requests per second, the processor's time for one, the median and the 99th percentile of
 * their time, statuses, and how the server's memory grew: the rise of a line through its samples (after a longer warm-up, a leak
 * shows), also by the thousand requests, which does not depend on what else the machine does; and what the memory was at
 * first and at last. At the end the server is told to stop while the clients go on: a request that was sent and got no
 * reply is lost, and none may be.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { memoryRegions } from './memory-regions.mjs';

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
const SAMPLE = 5;
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
    const warm = await load(workload, Number(values['warm-up']));
    let answered = 0;
    const counted = (number) => {
      answered = number;
      return workload(number);
    };
    const samples = [await sample(0)];
    const sampler = setInterval(async () => samples.push(await sample(answered)), SAMPLE * 1000);
    const measured = await load(counted, report.seconds);
    clearInterval(sampler);
    samples.push(await sample(measured.results.length));
    const cpuSeconds = samples.at(-1).cpuSeconds - samples[0].cpuSeconds;
    report.workloads[name] = {
      ...summary(measured),
      cpuMilliseconds: (1000 * cpuSeconds) / measured.results.length,
      memory: { warmUp: warm.results.length, samples, ...growth(samples) },
    };
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

/** The server's memory and time, when it has been sent so many requests. */
async function sample(requests) {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const value = (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)[1]);
  return {
    requests,
    residentBytes: value('process_resident_memory_bytes'),
    cpuSeconds: value('process_cpu_seconds_total'),
    regions: memoryRegions(server.child.pid),
  };
}

/**
 * How the line through the samples (least squares) rises: from the first to the last as a share of their mean, and bytes by the
 * thousand requests.
 */
function growth(samples) {
  const bytes = samples.map(({ residentBytes }) => residentBytes);
  const requests = samples.map(({ requests: sent }) => sent);
  const inTime = slope([...bytes.keys()], bytes);
  const byThousand = 1000 * slope(requests, bytes);
  return { growth: (inTime * (bytes.length - 1)) / mean(bytes), bytesByThousand: byThousand };
}

function slope(xs, ys) {
  const x = mean(xs);
  const y = mean(ys);
  const product = xs.reduce((sum, value, i) => sum + (value - x) * (ys[i] - y), 0);
  return product / xs.reduce((sum, value) => sum + (value - x) ** 2, 0);
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
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

function print(name, measured) {
  const { requestsPerSecond, cpuMilliseconds, p50, p99, slowest, statuses: counts, memory } = measured;
  const times = `median ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, slowest ${slowest.toFixed(1)} ms`;
  const rate = `${requestsPerSecond.toFixed(1)}/s of ${cpuMilliseconds.toFixed(1)} ms`;
  console.log(`${name}: ${rate}, ${times}, statuses ${JSON.stringify(counts)}`);
  const { warmUp, samples, growth: share, bytesByThousand } = memory;
  const line = `${(100 * share).toFixed(1)} %, ${megabytes(bytesByThousand)} MB by the thousand`;
  const resident = samples.map(({ residentBytes }) => megabytes(residentBytes)).join(' ');
  console.log(`  memory after ${warmUp} requests: ${resident} MB (${line})`);
  for (const { requests, regions } of [samples[0], samples.at(-1)]) {
    if (regions === undefined) continue;
    const kinds = Object.entries(regions).map(([kind, bytes]) => `${kind} ${megabytes(bytes)}`);
    console.log(`  after ${requests} more: ${kinds.join(', ')} MB`);
  }
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(0);
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
