import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { demoTasks, severalFlagsTasks, shownTasks } from '../../../src/demo/demo-tasks.js';
import { pictureInput } from '../../../src/demo/pictures/picture-source.js';

describe('demoTasks', () => {
  it('gives the same questions and pictures for a seed, and others for another', () => {
    const tasks = demoTasks({ seed: 1, count: 300 });
    expect(tasks).toHaveLength(300);
    expect(demoTasks({ seed: 1, count: 300 })).toEqual(tasks);
    expect(demoTasks({ seed: 2, count: 300 })).not.toEqual(tasks);
    const seeds = tasks.map(({ picture }) => 'seed' in picture && picture.seed);
    expect(new Set(seeds).size).toBe(300);
  });

  it('takes the pictures of others in turn, each with a question about its country', () => {
    const pictures = [
      { file: '/p/1.jpg', cca2: 'FR' },
      { file: '/p/2.jpg', cca2: 'NZ' },
    ];
    const tasks = demoTasks({ seed: 1, count: 3, pictures });
    expect(tasks.map(({ picture, question }) => [picture, question.cca2])).toEqual([
      [{ file: '/p/1.jpg' }, 'FR'],
      [{ file: '/p/2.jpg' }, 'NZ'],
      [{ file: '/p/1.jpg' }, 'FR'],
    ]);
  });
});

describe('severalFlagsTasks', () => {
  it('asks about one flag of each picture, by a task that another thread can be sent', async () => {
    const tasks = severalFlagsTasks({ seed: 1, count: 30 });
    expect(severalFlagsTasks({ seed: 1, count: 30 })).toEqual(tasks);
    for (const { question, picture } of tasks) {
      expect(Object.keys(question).sort()).toEqual(['answers', 'cca2', 'id', 'kind', 'place', 'question']);
      expect('flags' in picture && picture.flags).toContain(question.cca2);
    }
    const { picture } = tasks[0]!;
    const jpeg = await pictureInput(structuredClone(picture));
    expect(await sharp(jpeg).metadata()).toMatchObject({ format: 'jpeg' });
  });

  it('asks about other pictures than the questions about one flag do', () => {
    const seeds = new Set(
      demoTasks({ seed: 1, count: 300 }).map(({ picture }) => 'seed' in picture && picture.seed),
    );
    const others = severalFlagsTasks({ seed: 1, count: 300 });
    expect(others.filter(({ picture }) => 'seed' in picture && seeds.has(picture.seed as string))).toEqual(
      [],
    );
  });
});

describe('shownTasks', () => {
  it('shows questions of different kinds first', () => {
    const shown = shownTasks(demoTasks({ seed: 1, count: 500 }), 4);
    expect(shown.map(({ question }) => question.kind)).toEqual([
      'capital',
      'currency',
      'neighbours',
      'languages',
    ]);
  });

  it('shows what there is where there are few', () => {
    const tasks = demoTasks({ seed: 1, count: 2 });
    expect(new Set(shownTasks(tasks, 4))).toEqual(new Set(tasks));
  });
});
