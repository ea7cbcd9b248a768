import type { RetrieverLoss } from '../training/index.js';

/** Options of `granule train`, as the command line gives them. */
export interface TrainCommandOptions {
  readonly pairs?: string;
  readonly to?: string;
  readonly seeds?: readonly number[];
  readonly check?: true;
  readonly eval?: string;
  readonly devShare?: number;
  readonly loss?: RetrieverLoss;
  readonly tower: 'linear' | 'low-rank' | 'mlp';
  readonly rank: number;
  readonly hidden: number;
  readonly both?: true;
  readonly temperature?: number;
  readonly learnTemperature: boolean;
  readonly hardNegatives?: number;
  readonly mineEvery?: number;
  readonly batch?: number;
  readonly epochs?: number;
  readonly steps?: number;
  readonly rate?: number;
  readonly warmup?: number;
  readonly decay?: 'cosine' | 'linear' | 'constant';
  readonly weightDecay?: number;
  readonly clip?: number;
  readonly seed: number;
  readonly measure?: readonly string[];
  readonly patience?: number;
  readonly answerDepth?: number;
  readonly checkpoint?: string;
  readonly everySteps?: number;
  readonly log?: string;
  readonly curves?: string;
  readonly threads?: number;
  readonly json?: true;
}
