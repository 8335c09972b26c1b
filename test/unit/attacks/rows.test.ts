/** No row of the list of attacks on PostgreSQL goes missing from `npm run attacks`, unless it is said why. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { GROUPS } from '../../attacks/cases/index.ts';
import { disguiseOf } from '../../attacks/leak.ts';
import { ROOT } from '../../support/source-tree.ts';

/** The list's own numbers: some were never given. */
const ROWS: Readonly<Record<string, string>> = {
  'PG-S': '1 2 3 4 5 5b 6 7 8 9 10 11 12 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 32 33',
  'PG-W': '1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 27 28 29 30',
  'PG-M': '1 2 3 4 6 7 8 9 10 10b 11 12 14 15 16 17 17b 18 19 20',
  'PG-L': '1 2 3 4 5 7 8 12',
  'PG-N': '1 2 3 4 5 6 7 8',
};
const rows = Object.entries(ROWS).flatMap(([kind, numbers]) =>
  numbers.split(' ').map((number) => kind + number),
);

describe('every row has a case', () => {
  const tried = new Set(GROUPS.flatMap(({ id, attacks }) => attacks.map((attack) => attack.id ?? id)));
  const security = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
  const elsewhere = new Set(
    [...security.matchAll(/^\| (PG-\w+) \| [^|]{40,} \|$/gm)].map((match) => match[1] ?? ''),
  );

  it.each(rows)('%s, or a reason in docs/security.md', (row) => {
    expect(tried.has(row) || elsewhere.has(row)).toBe(true);
  });

  it('and no case is of a row that is not there', () => {
    const unknown = [...tried].filter((id) => id.startsWith('PG-') && !rows.includes(id));
    expect(unknown).toEqual([]);
  });
});

describe('what a client was sent is looked through for a secret', () => {
  const secret = '123-45-6789';
  const found = (text: string | Buffer) => disguiseOf(Buffer.from(text), secret);

  test.each([
    ['plain', secret],
    ['backwards', '9876-54-321'],
    ['in hex', Buffer.from(secret).toString('hex')],
    ['in base64, wherever it begins', Buffer.from(`..${secret}..`).toString('base64')],
    ['with digits moved by one', '234-56-7890'],
    ['with digits moved back', '012-34-5678'],
    ['with digits moved, backwards, in hex', Buffer.from('1098-76-543').toString('hex')],
  ])('%s', (_, disguised) => {
    expect(found(`x ${disguised} y`)).toBeTypeOf('string');
  });

  it('and nothing else is taken for it', () => {
    expect(found('*** 987-65-4320 123-45-678 ann@example.com')).toBeUndefined();
    expect(disguiseOf(Buffer.from('2222'), '1111')).toBeUndefined();
  });
});
