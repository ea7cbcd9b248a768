/** An assistant finds the tools, and gets structured results and pictures. The client is the protocol's own. */
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../unit/corpus/temporary-folder.js';
import { CLI, ended, start } from './cli-process.js';
import { makeKnowledgeBase } from './knowledge-base-folder.js';

interface Content {
  type: string;
  text?: string;
  data?: string;
  mimeType?: string;
}

async function connected(kb: string): Promise<{ client: Client; complaints: () => string }> {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [CLI, 'mcp', kb],
    stderr: 'pipe',
  });
  let complaints = '';
  transport.stderr?.on('data', (text) => {
    complaints += text;
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return { client, complaints: () => complaints };
}

describe('granule mcp', () => {
  it('gives the tools search and ask, with schemas of what goes in and comes out', async () => {
    const { kb, red, blue } = await makeKnowledgeBase(temporaryFolder());
    const { client, complaints } = await connected(kb);
    expect(client.getServerVersion()).toMatchObject({ name: 'granule' });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['search', 'ask']);
    for (const { description, inputSchema, outputSchema, annotations } of tools) {
      expect(description).toBeTruthy();
      expect([inputSchema['type'], outputSchema?.['type']]).toEqual(['object', 'object']);
      expect(annotations).toMatchObject({ readOnlyHint: true });
    }

    // The client checks structured results against the schemas that it was given.
    const found = await client.callTool({ name: 'search', arguments: { text: 'capital of Ruby', k: 1 } });
    expect(found.structuredContent).toMatchObject({
      passages: [{ passage: { id: 'red-1', entity: 'red' } }],
    });
    expect(JSON.parse((found.content as Content[])[0]!.text!)).toEqual(found.structuredContent);

    const shown = await client.callTool({ name: 'search', arguments: { image: blue.toString('base64') } });
    expect(shown.structuredContent).toMatchObject({
      entities: [{ entity: { id: 'blue' } }, { entity: { id: 'red' } }],
    });

    // Patches are left out at every level.
    const picture64 = blue.toString('base64');
    for (const [args, key, hit] of [
      [{ text: 'capital of Ruby', level: 'entity' }, 'entities', { passage: { id: 'red-1' } }],
      [{ text: 'capital of Ruby', level: 'document' }, 'documents', undefined],
      [{ image: picture64, level: 'image' }, 'images', { image: 'blue', entity: { id: 'blue' } }],
    ] as const) {
      const { structuredContent } = await client.callTool({ name: 'search', arguments: { ...args, k: 1 } });
      const hits = (structuredContent as Record<string, object[]>)[key]!;
      expect(Object.keys(structuredContent!)).toEqual([key]);
      expect(hits).toMatchObject(hit === undefined ? [] : [hit]);
      for (const each of hits) expect(each).not.toHaveProperty('matches');
    }

    const answered = await client.callTool({
      name: 'ask',
      arguments: { question: 'What is the capital of it?', image: red.toString('base64') },
    });
    expect(answered.structuredContent).toMatchObject({
      answer: 'Crimson',
      entity: { id: 'red', metadata: { colour: 'red' } },
      passage: { id: 'red-1' },
    });
    const picture = (answered.content as Content[]).find(({ type }) => type === 'image')!;
    expect(picture.mimeType).toBe('image/png');
    expect(await sharp(Buffer.from(picture.data!, 'base64')).metadata()).toMatchObject({
      format: 'png',
      width: 96,
    });

    for (const [args, code] of [
      [{ question: 'a', image: Buffer.from('no image').toString('base64') }, 'UNSUPPORTED_MEDIA_TYPE'],
      [{ question: 'a', entity: 'nobody' }, 'NOT_FOUND'],
      [{ question: 'a', image: 'ä' }, 'REQUEST_INVALID'],
    ] as const) {
      const result = await client.callTool({ name: 'ask', arguments: args });
      expect([result.isError, (result.content as Content[])[0]!.text]).toEqual([
        true,
        expect.stringMatching(new RegExp(`\\[${code}\\]$`)),
      ]);
    }
    const wrong = await client.callTool({ name: 'search', arguments: { text: 'a', level: 'image' } });
    expect([wrong.isError, (wrong.content as Content[])[0]!.text]).toEqual([
      true,
      expect.stringMatching(/^a text finds the levels .*\[INVALID_ARGUMENT\]$/),
    ]);
    const none = await client.callTool({ name: 'ask', arguments: {} }).catch((error: Error) => error);
    expect(none instanceof Error || (none as { isError?: boolean }).isError).toBe(true);
    expect(complaints()).toBe('');
  });

  it('writes nothing but the protocol to standard output, and ends with its input', async () => {
    const { kb } = await makeKnowledgeBase(temporaryFolder());
    const child = start(['mcp', kb], { input: true });
    const left = ended(child);
    child.stdin!.write('this is no JSON\n');
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'old', version: '1' } },
    };
    child.stdin!.write(`${JSON.stringify(initialize)}\n`);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.stdin!.end();
    const { status, stdout, stderr } = await left;
    expect(status).toBe(0);
    const messages = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(messages.at(-1)).toMatchObject({
      jsonrpc: '2.0',
      id: 1,
      result: { serverInfo: { name: 'granule' } },
    });
    expect(stderr).toMatch(/^(granule: [^\n]+ \[[A-Z_]+\]\n)*$/);
  });

  it('says what is wrong with the knowledge base on standard error', async () => {
    const { status, stdout, stderr } = await ended(start(['mcp', '/nowhere']));
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('[CORPUS_NOT_FOUND]');
  });
});
