import { expect, test } from 'vitest';
import { readSources } from '../../support/source-tree.ts';

/** Each protocol has its own: the local end, what its clients are told, its tools for agents, and its line in the lists. */
const OWN = /^src\/(client\/local\/[^/]+\/|cli\/connect\/clients\/|cli\/mcp\/tools\/)/;
/** PostgreSQL, its tools, and the variables that they read; not `PG_PROD_URL`, which is a resource's own name. */
const WORDS = /postgres|psql|libpq|\bPG[A-Z]+\b/gi;

test('hoopctl speaks of a protocol only where that protocol’s half is: another needs no change elsewhere', () => {
  const said = readSources('src')
    .filter(({ path }) => /^src\/(cli|client)\//.test(path) && !OWN.test(path))
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          (line.match(WORDS) ?? []).map((word) => `${path}:${index + 1} says ${word}`),
        ),
    );
  expect(said).toEqual([]);
});
