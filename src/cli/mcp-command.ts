import type { Command } from 'commander';
import type { CommandContext } from './command-context.js';

/** `granule mcp`: gives assistants the tools `search` and `ask` by the Model Context Protocol. */
export function addMcpCommand(program: Command, context: CommandContext): void {
  program
    .command('mcp')
    .description('give assistants the tools search and ask (Model Context Protocol over stdio)')
    .argument('<kb>', 'folder that granule ingest made')
    .addHelpText(
      'after',
      `
Started by an assistant, which speaks with it over standard input and output. Errors go to
standard error.

Example:
  $ granule mcp my-kb`,
    )
    .action(async (kb: string) => {
      const [{ serveMcp }, { openKnowledgeBase }] = await Promise.all([
        import('../server/mcp-server.js'),
        import('../server/opened-knowledge-base.js'),
      ]);
      const knowledgeBase = await openKnowledgeBase(kb);
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
