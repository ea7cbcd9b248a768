/**
 * Gates for worker threads that call native libraries which must not be stopped in the middle of a call, because the
 * process would abort: the word says what the worker does, and whoever ends the process closes the gate and waits.
 *
 * @module
 */

/** What a gate's word says: the worker sets 1 before a call and 0 after it, unless it finds 2. */
const IDLE = 0;
const BUSY = 1;
const STOPPED = 2;

/** Longest wait, at the end of the process, for one worker that is inside of the native runtime. */
const EXIT_WAIT_MILLISECONDS = 30_000;

const gates = new Set<Int32Array>();

/**
 * Closes every gate and waits until no worker is inside of the runtime. Runs when the process exits, where a promise
 * would come too late: Node then stops worker threads wherever they are, and inside of the runtime that aborts.
 */
function closeGates(): void {
  for (const gate of gates) {
    while (Atomics.compareExchange(gate, 0, IDLE, STOPPED) === BUSY) {
      if (Atomics.wait(gate, 0, BUSY, EXIT_WAIT_MILLISECONDS) === 'timed-out') break;
    }
  }
}

/** A gate for one worker, watched until `releaseExitGate`. */
export function createExitGate(): Int32Array {
  if (gates.size === 0) process.on('exit', closeGates);
  const gate = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  gates.add(gate);
  return gate;
}

/** Ends the watch, once the worker has ended. */
export function releaseExitGate(gate: Int32Array): void {
  if (gates.delete(gate) && gates.size === 0) process.off('exit', closeGates);
}
