/** Misuses of the softmax: temperatures, and what is asked of the whole. */
import { topKSoftmax } from '../../src/index.js';
import { floats, type Misuse, wrong } from './misuses.js';

export const SOFTMAX_MISUSES: Misuse[] = [
  ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', null].flatMap((temperature): Misuse[] => [
    {
      what: `temperature ${temperature}`,
      code: 'TEMPERATURE_INVALID',
      run: (flat) => flat.search(floats(4), { k: 1, temperature: wrong(temperature) }),
    },
    {
      what: `softmax with temperature ${temperature}`,
      code: 'TEMPERATURE_INVALID',
      run: () => topKSoftmax(floats(4), { k: 1, temperature: wrong(temperature) }),
    },
  ]),
  {
    what: 'logSumExp without a temperature',
    code: 'TEMPERATURE_INVALID',
    run: (flat) => flat.search(floats(4), { k: 1, logSumExp: true }),
    message: /logSumExp needs a temperature/,
  },
  {
    what: 'logSumExp over documents without a temperature',
    code: 'TEMPERATURE_INVALID',
    run: (_, multi) => multi.search(floats(4), { k: 1, logSumExp: true }),
  },
  ...[1, 'yes', { temperature: 1 }].map(
    (logSumExp): Misuse => ({
      what: `logSumExp ${JSON.stringify(logSumExp)}`,
      code: 'INVALID_ARGUMENT',
      run: (flat) => flat.search(floats(4), { k: 1, logSumExp: wrong(logSumExp) }),
    }),
  ),
];
