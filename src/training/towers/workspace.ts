import { GranuleError } from '../../errors.js';
import { show } from '../../index/arguments.js';
import { outOfMemory } from './parameter.js';

/**
 * Memory that one training step after the other uses, so that steps leave nothing for the garbage collector: for batches of some hundred
 * vectors that is 5 to 10 % of a step. Give it to every call of a step and say where the next one begins.
 *
 * Results do not depend on it. What calls of a step gave, passes and gradients, is overwritten by calls of the next one: copy what shall
 * stay. Calls must be in the same order in each step, or memory is not used again; one workspace serves one loop at a time.
 *
 * @example
 * ```ts
 * const workspace = new Workspace();
 * for (const { queries, documents } of batches) {
 *   workspace.nextStep();
 *   const q = await queryTower.forward(queries, { workspace });
 *   const d = await documentTower.forward(documents, { workspace });
 *   const { queryGradient, documentGradient } = await inBatchContrastOfVectors(q.outputs, d.outputs, { workspace });
 *   await q.backward(queryGradient, { workspace });
 *   await d.backward(documentGradient, { workspace });
 *   await optimiser.step();
 * }
 * ```
 */
export class Workspace {
  /** The i-th is what the i-th request of a step gets. */
  readonly #blocks: ArrayBuffer[] = [];
  #requests = 0;

  /** From here on memory is given out again from the beginning. No call that was given this workspace may be under way. */
  nextStep(): void {
    this.#requests = 0;
  }

  /** `length` numbers, of any value. @internal */
  floats(length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#block(length * Float32Array.BYTES_PER_ELEMENT), 0, length);
  }

  /** `length` numbers, of any value. @internal */
  doubles(length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#block(length * Float64Array.BYTES_PER_ELEMENT), 0, length);
  }

  #block(bytes: number): ArrayBuffer {
    const request = this.#requests++;
    const block = this.#blocks[request];
    if (block !== undefined && block.byteLength >= bytes) return block;
    const larger = newBlock(bytes);
    this.#blocks[request] = larger;
    return larger;
  }
}

function newBlock(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (error) {
    throw outOfMemory(bytes / Float32Array.BYTES_PER_ELEMENT, error);
  }
}

/** @throws GranuleError `INVALID_ARGUMENT` */
export function checkWorkspace(workspace: Workspace | undefined): Workspace | undefined {
  if (workspace === undefined || workspace instanceof Workspace) return workspace;
  throw new GranuleError('INVALID_ARGUMENT', `workspace must be a Workspace, got ${show(workspace)}`);
}
