/**
 * Everyone who takes part. A contender is an object:
 *
 *     name          as in `--contender`
 *     package?      the npm package that it needs, from bench/package.json
 *     exact         whether it searches the vectors themselves, not something rounded
 *     claimsBits    whether its rows and scores must equal the reference's, bit for bit
 *     proportionalFrom?  queries of a batch from which on its time is in proportion to them, 1 where it answers query by
 *                   query: a larger batch may then be timed with fewer queries, and the result says so
 *     copies        (workload) => memory that it takes, in copies of the float32 vectors
 *     cores?        true where it must be held to as many cores as it has threads
 *     kinds         of the workloads that it has an operation for
 *     refuses?      ({ workload, threads }) => why it cannot run, or undefined
 *     absent?       () => why it cannot run on this machine at all, or undefined
 *     environment?  (threads, cpuFeatures) => variables of its process
 *     program?      (request) => [program, arguments], where its process is not child.mjs
 *     open          ({ workloads, dataset, threads }) => what child.mjs needs, see there; workloads of one family
 */
import hnswlib from './hnswlib.mjs';
import lancedb from './lancedb.mjs';
import oursCpu from './ours-cpu.mjs';
import oursCpuPlain from './ours-cpu-plain.mjs';
import plainJs from './plain-js.mjs';
import { python } from './python.mjs';
import sqliteFts5 from './sqlite-fts5.mjs';
import sqliteVec from './sqlite-vec.mjs';
import { usearch } from './usearch.mjs';

export const CONTENDERS = [
  oursCpu,
  oursCpuPlain,
  plainJs,
  usearch('usearch-f32', 'f32'),
  usearch('usearch-i8', 'i8'),
  hnswlib,
  lancedb,
  sqliteVec,
  sqliteFts5,
  python({
    name: 'faiss',
    file: 'faiss_flat.py',
    modules: ['faiss', 'numpy'],
    kind: 'mips',
    install: 'apt-get install python3-faiss libopenblas0-pthread',
  }),
  python({
    name: 'numpy-maxsim',
    file: 'numpy_maxsim.py',
    modules: ['numpy'],
    kind: 'maxsim',
    install: 'apt-get install python3-numpy libopenblas0-pthread',
  }),
  python({
    name: 'torch',
    file: 'torch_contrast.py',
    modules: ['torch', 'numpy'],
    kind: 'contrast',
    copies: () => 60,
    install: 'apt-get install python3-torch libopenblas0-pthread',
  }),
];
