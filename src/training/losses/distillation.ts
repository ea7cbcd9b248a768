import { checkKeys, checkTemperature } from '../../index/arguments.js';
import { softmaxWithLogs } from './log-softmax.js';
import { checkFloats, type Floats, type ListLoss } from './loss-arguments.js';
import { divergenceFromTarget } from './relative-entropy.js';

/** Options of {@link distillation}. */
export interface DistillationOptions {
  /** T of both softmaxes; 2 by default, as in DeAR. */
  readonly temperature?: number | undefined;
}

/**
 * A student learns a teacher's distribution over the candidates, both softened by T: q = softmax(teacher / T), p = softmax(student / T),
 *
 *     L = T^2 KL(q || p),    dL/d(student)_i = T (p_i - q_i)
 *
 * T^2 keeps the gradient's size as T grows. With a loss from labels: `mixLosses` with weights 1 - alpha and alpha. O(n).
 *
 * Sources: "Distilling the Knowledge in a Neural Network" (2015); "DeAR: Dual-Stage Document Reranking with Reasoning Agents via LLM
 * Distillation" (2025), alpha 0.5 and T 2.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function distillation(student: Floats, teacher: Floats, options: DistillationOptions = {}): ListLoss {
  checkKeys(options, ['temperature']);
  const temperature = checkTemperature(options.temperature ?? 2);
  const p = softmaxWithLogs(checkFloats(student, 'student'), temperature);
  const q = softmaxWithLogs(checkFloats(teacher, 'teacher', student.length), temperature).probabilities;
  const { divergence, gradient } = divergenceFromTarget(q, p);
  return { loss: temperature ** 2 * divergence, gradient: gradient.map((g) => temperature * g) };
}
