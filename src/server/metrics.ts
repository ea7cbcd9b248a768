import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { KnowledgeBase } from './knowledge-base.js';
import type { WorkQueue } from './work-queue.js';

/** Upper ends of the buckets, in seconds. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What GET /metrics tells, in a registry of its own. */
export class ServerMetrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram<'route' | 'method' | 'status'>;
  readonly #stages: Histogram<'stage'>;
  readonly #rejected: Counter<'code'>;

  constructor(queue: WorkQueue, knowledgeBase: KnowledgeBase) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Histogram({
      name: 'granule_http_request_duration_seconds',
      help: 'Time from the arrival of a request to the end of its reply.',
      labelNames: ['route', 'method', 'status'],
      buckets: SECONDS,
      registers,
    });
    this.#stages = new Histogram({
      name: 'granule_stage_duration_seconds',
      help: 'Time of each stage of an answer or a search.',
      labelNames: ['stage'],
      buckets: SECONDS,
      registers,
    });
    this.#rejected = new Counter({
      name: 'granule_rejected_total',
      help: 'Requests that were answered by an error, by its code.',
      labelNames: ['code'],
      registers,
    });
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    gauge('granule_queue_waiting', 'Works that wait for their turn.', () => queue.waiting);
    gauge('granule_queue_running', 'Works that run.', () => queue.running);
    gauge('granule_requests_inside', 'Requests that were let in and have not ended.', () => queue.inside);
    new Gauge({
      name: 'granule_items',
      help: 'What the knowledge base holds.',
      labelNames: ['kind'],
      registers,
      async collect() {
        const { counts } = await knowledgeBase.status();
        for (const [kind, count] of Object.entries(counts)) this.set({ kind }, count);
      },
    });
  }

  /** Media type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Counts a reply; `route` is a pattern, never the address that was asked for. */
  request(route: string, method: string, status: number, milliseconds: number): void {
    this.#requests.observe({ route, method, status: String(status) }, milliseconds / 1000);
  }

  /** Counts the stages of an answer or a search, in milliseconds. */
  stages(timings: Readonly<Record<string, number>>): void {
    for (const [stage, milliseconds] of Object.entries(timings)) {
      this.#stages.observe({ stage }, milliseconds / 1000);
    }
  }

  /** Counts an error. */
  rejected(code: string): void {
    this.#rejected.inc({ code });
  }

  /** All metrics, in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
