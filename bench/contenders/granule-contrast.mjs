/** How granule takes part where towers are trained; the step of torch_contrast.py. */
import { ANSWERED_STEPS, CONTRAST } from '../contrast-oracle.mjs';
import { allQueries, allVectors } from '../dataset.mjs';

export async function openContrast({ workloads: [{ pairs, dimension: input, output }], dataset, threads }) {
  const { matrix } = await import('../../dist/esm/index.js');
  const training = await import('../../dist/esm/training/index.js');
  const numbers = [allQueries(dataset), allVectors(dataset)];
  const [queries, documents] = numbers.map((vectors) => matrix(vectors.slice(0, pairs * input), input));

  /** A step from the towers of the one before; resolves to its loss. */
  function stepping() {
    const [query, document] = numbers.map((vectors) =>
      training.Tower.from(
        { kind: 'linear', input, output },
        { weight: vectors.slice(0, output * input), bias: new Float32Array(output) },
      ),
    );
    const logTemperature = training.zeroParameter([1]);
    logTemperature.values[0] = Math.log(CONTRAST.temperature);
    const temperatures = { parameters: new Map([['log_temperature', logTemperature]]) };
    const parameters = training.namedParameters({ query, document, contrast: temperatures });
    const optimiser = new training.AdamW(parameters, {
      learningRate: CONTRAST.rate,
      weightDecay: CONTRAST.decay,
      withoutDecay: ['contrast.log_temperature'],
    });
    return async () => {
      const temperature = Math.exp(logTemperature.values[0]);
      for (const { gradient } of parameters.values()) gradient.fill(0);
      const found = await training.inBatchContrastOfTowers(
        { vectors: queries, tower: query },
        { vectors: documents, tower: document },
        { temperature, threads },
      );
      logTemperature.gradient[0] = temperature * found.temperatureGradient;
      await optimiser.step({ threads });
      return found.loss;
    };
  }

  return () => ({
    elementBytes: 4,
    arithmetic: 'f32',
    search: stepping(),
    async answers() {
      const step = stepping();
      const losses = [];
      while (losses.length < ANSWERED_STEPS) losses.push(await step());
      return losses;
    },
    hits: (losses) => ({ rows: [], scores: losses }),
  });
}
