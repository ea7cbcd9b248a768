import type { MessagePort } from 'node:worker_threads';
import { GranuleError } from '../errors.js';
import { handedOver } from './handed-over.js';
import {
  type FromThread,
  type ThreadData,
  type ThreadService,
  type ToThread,
  toSentError,
} from './thread-messages.js';
import type { ThreadSpec } from './thread-spec.js';

type Load = (url: string) => Promise<Record<string, unknown>>;

/** The program of a thread: makes the object of its spec, and serves calls until the port closes. */
export async function runThread(port: MessagePort, data: ThreadData, load: Load): Promise<void> {
  const post = (message: FromThread, transfer: readonly ArrayBuffer[] = []) =>
    port.postMessage(message, transfer);
  let service: ThreadService;
  try {
    const serve = exported(await load(data.service), 'serve') as (part: unknown) => ThreadService;
    service = serve(await make(data.spec, load));
  } catch (error) {
    post({ failed: toSentError(error) });
    return;
  }
  post({ identity: service.identity });
  const running = new Map<number, AbortController>();
  port.on('message', async (message: ToThread) => {
    if ('abort' in message) {
      running.get(message.abort)?.abort();
      return;
    }
    const { call, method, argument } = message;
    const controller = new AbortController();
    running.set(call, controller);
    try {
      const { value, transfer } = handedOver(
        await service.methods[method]!(argument as never, controller.signal),
      );
      post({ call, result: value }, transfer);
    } catch (error) {
      post({ call, error: toSentError(error) });
    } finally {
      running.delete(call);
    }
  });
}

async function make(spec: ThreadSpec, load: Load): Promise<unknown> {
  let found: Record<string, unknown>;
  try {
    found = await load(spec.module);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GranuleError('INVALID_ARGUMENT', `a thread cannot import ${spec.module}: ${reason}`);
  }
  const made = exported(found, spec.export);
  if (typeof made !== 'function') {
    throw new GranuleError('INVALID_ARGUMENT', `${spec.module} exports no class ${spec.export}`);
  }
  return Reflect.construct(made, [spec.options]);
}

/** An export of a module; those of CommonJS may be known only as properties of its default export. */
function exported(module: Record<string, unknown>, name: string): unknown {
  return module[name] ?? (module['default'] as Record<string, unknown> | undefined)?.[name];
}
