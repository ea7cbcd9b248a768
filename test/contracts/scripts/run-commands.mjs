/**
 * Runs command lines in one process, one after the other. Each line of the input is a JSON list: a folder to run in, then
 * words, `granule ...` or `node <file>`. What each left behind is printed as a line of JSON.
 *
 *     node run-commands.mjs <URL of dist/esm/cli/run-cli.js>
 */
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const { runCli } = await import(process.argv[2]);
const print = process.stdout.write.bind(process.stdout);
let printed = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr']) {
  process[name].write = (text) => {
    printed[name] += text;
    return true;
  };
}
for await (const line of createInterface({ input: process.stdin })) {
  const [folder, program, ...words] = JSON.parse(line);
  process.chdir(folder);
  printed = { stdout: '', stderr: '' };
  let status = 0;
  if (program === 'node') await import(pathToFileURL(resolve(words[0])).href);
  else status = await runCli(words);
  // A program listens to its output until it ends.
  for (const name of ['stdout', 'stderr']) process[name].removeAllListeners('error');
  print(`${JSON.stringify({ status, ...printed })}\n`);
}
