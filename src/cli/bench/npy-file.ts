import { open } from 'node:fs/promises';
import { unreadableFile } from '../../corpus/unreadable-file.js';
import { GranuleError } from '../../errors.js';
import type { Matrix } from '../../vectors/matrix.js';

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** Node reads at most 2 GiB at once. */
const PIECE = 2 ** 30;

/**
 * Reads a matrix from a NumPy file (`numpy.save`): float32 or float16, two dimensions, C order, little endian. float16
 * values become the float32 ones that equal them.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `INVALID_ARGUMENT` (`details.file`) for a file that is none of this
 */
export async function readNpy(path: string): Promise<Matrix> {
  const file = await open(path).catch(unreadableFile(path));
  try {
    const { size } = await file.stat();
    const prefix = Buffer.alloc(12);
    await file.read(prefix, 0, 12, 0).catch(unreadableFile(path));
    if (!prefix.subarray(0, 6).equals(MAGIC))
      refuse(path, 'is not a NumPy file (it does not begin with \\x93NUMPY)');
    const version = prefix[6]!;
    if (version < 1 || version > 3) refuse(path, `is a NumPy file of version ${version}; 1 to 3 can be read`);
    const headerStart = version === 1 ? 10 : 12;
    const headerLength = version === 1 ? prefix.readUInt16LE(8) : prefix.readUInt32LE(8);
    const start = headerStart + headerLength;
    if (start > size) refuse(path, 'ends within its header');
    const header = Buffer.alloc(headerLength);
    await file.read(header, 0, headerLength, headerStart).catch(unreadableFile(path));
    const { width, rows, columns } = parseHeader(header.toString('latin1'), path);
    const bytes = rows * columns * width;
    if (size - start !== bytes) {
      refuse(path, `holds ${size - start} bytes of values where ${rows} x ${columns} of them take ${bytes}`);
    }
    const values = width === 4 ? new Float32Array(rows * columns) : new Uint16Array(rows * columns);
    const target = new Uint8Array(values.buffer);
    for (let done = 0; done < bytes; ) {
      const { bytesRead } = await file
        .read(target, done, Math.min(PIECE, bytes - done), start + done)
        .catch(unreadableFile(path));
      if (bytesRead === 0) refuse(path, 'became shorter while it was read');
      done += bytesRead;
    }
    return { data: values instanceof Float32Array ? values : widenHalves(values), rows, columns };
  } finally {
    await file.close();
  }
}

function parseHeader(header: string, path: string): { width: 2 | 4; rows: number; columns: number } {
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || shape === undefined) {
    return refuse(path, 'has a header without descr, fortran_order or shape');
  }
  if (descr !== '<f4' && descr !== '<f2') {
    return refuse(path, `holds values of type ${descr}; save float32 or float16: array.astype('<f4')`);
  }
  if (order === 'True') {
    return refuse(path, 'is in Fortran order; save it in C order: numpy.ascontiguousarray(array)');
  }
  const sizes = shape
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const [rows, columns] = sizes;
  if (sizes.length !== 2 || rows === undefined || columns === undefined || rows < 1 || columns < 1) {
    return refuse(path, `has the shape (${shape.trim()}); rows x columns are needed, at least 1 of each`);
  }
  return { width: descr === '<f4' ? 4 : 2, rows, columns };
}

/** IEEE half precision: 1 bit of sign, 5 of exponent, 10 of fraction. */
function widenHalves(halves: Uint16Array): Float32Array {
  const wide = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const size =
      exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : exponent === 0
          ? fraction * 2 ** -24
          : (1024 + fraction) * 2 ** (exponent - 25);
    wide[i] = half >> 15 === 1 ? -size : size;
  }
  return wide;
}

function refuse(path: string, why: string): never {
  throw new GranuleError('INVALID_ARGUMENT', `${path} ${why}`, { file: path });
}
