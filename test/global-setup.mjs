// Tests that spawn the command line or install the package run what is in dist/: it must be what src/ says.
import { buildTypescript, typescriptIsCurrent } from '../scripts/build-ts.mjs';

export default async function setup() {
  if (!typescriptIsCurrent()) await buildTypescript();
}
