import { type Command, Option } from 'commander';
import { GranuleError } from '../errors.js';
import type { ReadTowerFile } from '../training/export/tower-file.js';
import type { Tower } from '../training/towers/tower.js';
import type { CommandContext } from './command-context.js';

interface Options {
  readonly model: string;
  readonly to: string;
  readonly output?: string;
  readonly pooling?: 'mean' | 'cls';
  readonly name?: string;
  readonly side?: 'query' | 'document';
  readonly normalise: boolean;
  readonly json?: true;
}

/** `granule export`: puts a trained tower into the ONNX model whose vectors it maps. */
export function addExportCommand(program: Command, context: CommandContext): void {
  program
    .command('export')
    .description('put a trained adapter into the ONNX model whose vectors it maps')
    .argument('<adapter>', 'a .safetensors file of towers')
    .requiredOption('--model <model>', 'an .onnx file, a folder that holds one, or a name on the hub')
    .requiredOption('--to <file>', 'the .onnx file to write')
    .option('--output <name>', 'the output to map (default: the only one that fits)')
    .addOption(
      new Option('--pooling <how>', "make one vector of the output's token vectors first").choices([
        'mean',
        'cls',
      ]),
    )
    .option(
      '--name <name>',
      'what the mapped output is called (default: as before; pooled sentence_embedding)',
    )
    .addOption(
      new Option('--side <side>', 'which tower, where the adapter has two').choices(['query', 'document']),
    )
    .option(
      '--no-normalise',
      'map vectors as the model gives them, without dividing them by their norm first',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
The model that is written gives mapped vectors in any runtime of ONNX. Vectors are divided by
their norm before they are mapped, as encoders do it unless they were opened without.

Example:
  $ granule export adapter.safetensors --model encoder.onnx --to adapted.onnx`,
    )
    .action(async (adapter: string, options: Options) => {
      const { readTowers } = await import('../training/export/tower-file.js');
      const { foldTower } = await import('../training/export/fold-tower.js');
      const { signal } = context;
      const tower = towerOf(await readTowers(adapter, { signal }), options.side, adapter);
      const { model, to, output, pooling, name, normalise } = options;
      const report = await foldTower(model, tower, {
        to,
        output,
        pooling,
        name,
        normaliseInput: normalise,
        signal,
      });
      context.print(
        options.json
          ? JSON.stringify({ ...report, file: to })
          : `${to} gives vectors of ${report.columns} numbers as '${report.name}'` +
              ` (from '${report.output}'; operators of version ${report.operatorSet}, ${report.bytes} bytes)`,
      );
    });
}

/** The tower of one side; without a side the only one. */
function towerOf({ query, document }: ReadTowerFile, side: Options['side'], file: string): Tower {
  if (side === undefined && query !== undefined && document !== undefined) {
    throw new GranuleError('INVALID_ARGUMENT', `${file} holds two towers: choose one by --side`, { file });
  }
  const tower = side === undefined ? (query ?? document) : { query, document }[side];
  if (tower === undefined) {
    throw new GranuleError('INVALID_ARGUMENT', `${file} holds no tower of the ${side} side`, { file });
  }
  return tower;
}
