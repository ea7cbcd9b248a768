/**
 * Runs command lines in one process, one after the other in this folder, and prints what each left behind, as a JSON list.
 *
 *     node run-commands.mjs <URL of dist/esm/cli/run-cli.js> <JSON list of lists of words: granule ..., or node <file>>
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [runCliUrl, commands] = process.argv.slice(2);
const { runCli } = await import(runCliUrl);
const print = process.stdout.write.bind(process.stdout);
let printed = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr']) {
  process[name].write = (text) => {
    printed[name] += text;
    return true;
  };
}
const ended = [];
for (const [program, ...words] of JSON.parse(commands)) {
  printed = { stdout: '', stderr: '' };
  let status = 0;
  if (program === 'node') await import(pathToFileURL(resolve(words[0])).href);
  else status = await runCli(words);
  // A program listens to its output until it ends.
  for (const name of ['stdout', 'stderr']) process[name].removeAllListeners('error');
  ended.push({ status, ...printed });
}
print(JSON.stringify(ended));
