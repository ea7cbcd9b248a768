import sharp from 'sharp';
import { expect, it } from 'vitest';
import { LIGHT_SERIES } from '../../../../src/evaluation/report/report-style.js';
import { trainingCurves } from '../../../../src/training/trainer/training-curves.js';

/** Pixels of a colour in a picture. */
async function pixelsOf(svg: string, colour: string): Promise<number> {
  const { data } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  let found = 0;
  for (let i = 0; i < data.length; i += 3) {
    if (data[i] === r && data[i + 1] === g && data[i + 2] === b) found++;
  }
  return found;
}

it('the curves of a run are there in any program that draws SVG: a loss, and a curve of its own for each measure', async () => {
  const steps = Array.from({ length: 1000 }, (_, i) => ({
    ...{ step: i + 1, epoch: 1 + Math.floor(i / 100), loss: 3 / (1 + i / 50), learningRate: 0.1 },
    ...{ gradientNorm: 1, temperature: 0.05 },
  }));
  const evaluations = [0, 500, 1000].map((step, i) => ({
    ...{ step, epoch: step / 100, best: true, measures: { recip_rank: 0.2 + 0.1 * i, recall_10: 0.9 } },
  }));
  const svg = trainingCurves({ steps, evaluations });
  // Neighbours are averaged: 400 points at most.
  expect(svg.match(/points="[^"]*"/)![0].split(' ').length).toBeLessThanOrEqual(400);
  for (const colour of LIGHT_SERIES.slice(0, 2)) expect(await pixelsOf(svg, colour)).toBeGreaterThan(200);
  expect(await pixelsOf(svg, LIGHT_SERIES[2]!)).toBe(0);
  const alone = trainingCurves({ steps: steps.slice(0, 3), evaluations: [] });
  expect(alone).toContain('>loss<');
  expect(alone).not.toContain('measures of dev');
});
