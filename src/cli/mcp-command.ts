import type { Command } from 'commander';
import { adaptedBy } from './adapted-by.js';
import type { CommandContext } from './command-context.js';

/** `granule mcp`: gives assistants the tools `search` and `ask` by the Model Context Protocol. */
export function addMcpCommand(program: Command, context: CommandContext): void {
  program
    .command('mcp')
    .description('give assistants the tools search and ask (Model Context Protocol over stdio)')
    .argument('<kb>', 'folder that granule ingest made')
    .option('--adapter <file>', 'what granule train has taught')
    .addHelpText(
      'after',
      `
Started by an assistant, which speaks with it over standard input and output. Errors go to
standard error.

Example:
  $ granule mcp my-kb`,
    )
    .action(async (kb: string, options: { readonly adapter?: string }) => {
      const [{ serveMcp }, { openKnowledgeBase }] = await Promise.all([
        import('../server/mcp-server.js'),
        import('../server/corpus-knowledge-base.js'),
      ]);
      const knowledgeBase = await openKnowledgeBase(kb, await adaptedBy(options.adapter));
      try {
        const server = serveMcp(knowledgeBase, {
          onError: ({ message }) => context.complain(message, 'REQUEST_INVALID'),
        });
        const interrupted = new Promise<void>((resolve) => {
          context.signal.addEventListener('abort', () => resolve(), { once: true });
        });
        await Promise.race([server.closed, interrupted]);
        await server.close();
        context.doneWhenInterrupted();
      } finally {
        await knowledgeBase.close();
      }
    });
}
