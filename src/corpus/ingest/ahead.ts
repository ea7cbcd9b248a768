/**
 * Runs a source up to `count` items ahead of its consumer, so that both work at the same time and no more than that waits in
 * memory. An end of the consumer, or an error of it, ends the source.
 */
export async function* ahead<T>(source: AsyncGenerator<T>, count: number): AsyncGenerator<T> {
  const waiting: Promise<IteratorResult<T, unknown>>[] = [];
  const start = () => {
    const next = source.next();
    // Whoever waits for it sees the error; until then it must not count as one that nobody handles.
    next.catch(() => undefined);
    waiting.push(next);
  };
  try {
    for (let i = 0; i < count; i++) start();
    for (;;) {
      start();
      const { done, value } = await waiting.shift()!;
      if (done) return;
      yield value;
    }
  } finally {
    await Promise.allSettled(waiting);
    await source.return(undefined);
  }
}
