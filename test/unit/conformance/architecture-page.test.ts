/** What docs/architecture.md says of the sources is so. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MUTATIONS, mutated, mutationTable } from '../../conformance/mutations.ts';
import { drawRooms, PICTURE } from '../../docs/picture.ts';
import { ROOT, readSources } from '../../support/source-tree.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const page = read('docs/architecture.md');

it('the picture shows what the sources import: npm run docs:picture draws it anew', () => {
  expect(read(PICTURE)).toBe(drawRooms(readSources('src')));
});

it('every file and folder that the walk names is there', () => {
  const walk = /^## The walk of one SELECT$(.+?)^## /ms.exec(page)?.[1] ?? '';
  const named = [...walk.matchAll(/`([a-z-]+\/[a-z0-9/.-]*)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(12);
  expect(named.filter((path) => !existsSync(join(ROOT, 'src', path)))).toEqual([]);
});

describe('the lines that the suite of adapters stands on', () => {
  it.each(MUTATIONS)('stand where the list says: $without', (mutation) => {
    expect(mutated(read(mutation.file), mutation)).not.toBe(read(mutation.file));
  });

  it('are told', () => {
    expect(page).toContain(mutationTable());
  });
});
