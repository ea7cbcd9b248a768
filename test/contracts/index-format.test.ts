/** The files of an index are what docs/index-files.md says: a reader of thirty lines, in another language, finds the rows. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FlatIndex, MultiVectorIndex } from '../../src/index.js';
import { temporaryFolder } from '../unit/corpus/temporary-folder.js';

const hasNumpy = spawnSync('python3', ['-c', 'import numpy']).status === 0;
if (!hasNumpy) console.warn('index files are not read by Python: python3 with numpy is not installed');

const READER = `
import json, os, sys
import numpy as np

TYPES = {'U8': 'u1', 'U32': '<u4', 'U64': '<u8', 'F16': '<f2', 'F32': '<f4', 'F64': '<f8'}

def tensors_of(path):
    data = open(path, 'rb').read()
    length = int.from_bytes(data[:8], 'little')
    header = json.loads(data[8:8 + length])
    metadata = header.pop('__metadata__')
    assert all(isinstance(value, str) for value in metadata.values())
    assert (8 + length) % 64 == 0
    out, end = {}, 0
    for name, tensor in sorted(header.items(), key=lambda item: item[1]['data_offsets']):
        begin, stop = tensor['data_offsets']
        assert begin == end
        end = stop
        part = data[8 + length + begin:8 + length + stop]
        out[name] = np.frombuffer(part, TYPES[tensor['dtype']]).reshape(tensor['shape'])
    assert 8 + length + end == len(data)
    return metadata, out

folder = sys.argv[1]
manifest = json.load(open(os.path.join(folder, 'manifest.json')))
report = {'rows': manifest['rows'], 'segments': []}
for segment in manifest['segments']:
    metadata, tensors = tensors_of(os.path.join(folder, segment['file']))
    x = tensors['vectors'].astype('f8')
    entry = {'names': list(tensors), 'sum': x.sum(), 'rows': int(metadata['rows'])}
    if 'codes' in tensors:
        blocks, groups, _, _ = tensors['codes'].shape
        codes = tensors['codes'].transpose(0, 2, 1, 3).reshape(blocks * 16, groups * 4).astype('f8') - 128
        x = x[:blocks * 16]
        approximate = tensors['scales'][:, None] * codes
        assert (approximate[:, x.shape[1]:] == 0).all()
        error = np.linalg.norm(x - approximate[:, :x.shape[1]], axis=1)
        entry['bounded'] = bool((error <= tensors['residual_norms']).all())
        entry['normed'] = bool((np.linalg.norm(approximate, axis=1) <= tensors['code_norms']).all())
    if 'squared_norms' in tensors:
        x = tensors['vectors'].astype('f8')
        entry['squared'] = bool(np.allclose((x * x).sum(axis=1), tensors['squared_norms'], rtol=1e-14))
    if 'offsets' in tensors:
        entry['lengths'] = np.diff(tensors['offsets'].astype('i8')).tolist()
    if 'biases' in tensors:
        entry['biases'] = tensors['biases'].tolist()
    report['segments'].append(entry)
if manifest['removed']:
    bits = np.fromfile(os.path.join(folder, manifest['removed']['file']), 'u1')
    report['removed'] = np.flatnonzero(np.unpackbits(bits, bitorder='little')).tolist()
json.dump(report, sys.stdout)
`;

function readByPython(folder: string) {
  return JSON.parse(execFileSync('python3', ['-c', READER, folder], { encoding: 'utf8' }));
}

const floats = (count: number) =>
  Float32Array.from({ length: count }, (_, i) => ((i * 7561) % 1009) / 1024 - 0.5);

describe.skipIf(!hasNumpy)(
  `the files of an index, read by Python with numpy${hasNumpy ? '' : ' (skipped: no python3 with numpy)'}`,
  () => {
    it('hold vectors, codes, their bounds, norms, biases and removed rows', async () => {
      const folder = join(temporaryFolder(), 'index');
      const index = new FlatIndex({ dimension: 10, metric: 'l2' });
      const vectors = floats(50 * 10);
      const biases = floats(50);
      await index.add(vectors, { biases });
      await index.save(folder);
      await index.add(vectors.subarray(0, 50));
      await index.remove(Uint32Array.of(0, 9, 54));
      await index.save(folder);
      const report = readByPython(folder);
      expect(report).toMatchObject({ rows: 55, removed: [0, 9, 54], segments: [{ rows: 50 }, { rows: 5 }] });
      const [first, second] = report.segments;
      expect(first).toMatchObject({ bounded: true, normed: true, squared: true, biases: [...biases] });
      expect(first.sum).toBeCloseTo(
        vectors.reduce((sum, value) => sum + value, 0),
        9,
      );
      expect(first.names).toEqual(
        'codes squared_norms scales residual_norms code_norms biases vector_checksums vectors'.split(' '),
      );
      expect(second.names).toEqual(['squared_norms', 'biases', 'vector_checksums', 'vectors']);
    });

    it('hold documents by their offsets, and float16', async () => {
      const folder = temporaryFolder();
      const index = new MultiVectorIndex({ dimension: 4, dtype: 'f16', codes: 'none' });
      const lengths = Uint32Array.of(3, 1, 20, 6);
      const vectors = floats(30 * 4);
      await index.add(vectors, lengths);
      await index.save(folder);
      const [segment] = readByPython(folder).segments;
      expect(segment.lengths).toEqual([...lengths]);
      expect(segment.names).toEqual(['offsets', 'vector_checksums', 'vectors']);
      expect(segment.sum).toBeCloseTo(
        vectors.reduce((sum, value) => sum + value, 0),
        1,
      );
    });
  },
);

it('docs/index-files.md names every tensor, field and file', () => {
  const text = readFileSync('docs/index-files.md', 'utf8');
  const names =
    'codes squared_norms offsets scales residual_norms code_norms biases vector_checksums vectors ' +
    'format version kind id generation dimension metric dtype rows segments removed checksum manifest.json .lock';
  for (const name of names.split(' ')) expect(text).toContain(`\`${name}\``);
});
