/**
 * Free text in plain columns alone: every query of `npm run attacks -- RT17` that a server of this version takes is refused before it
 * runs, and none of what is honest. What they would bring to light is tried there.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CUTS } from '../../attacks/cases/text/cut.ts';
import { MADE } from '../../attacks/cases/text/made.ts';
import { HONEST } from '../../attacks/cases/text/rt17.ts';
import { SPELLED } from '../../attacks/cases/text/spelled.ts';
import { type Taking, TEXT_FIXTURE } from '../../attacks/cases/text/world.ts';
import { type MaskedDatabase, maskedDatabase } from '../../support/postgres/masked-database.ts';

const QUERIES = [...MADE, ...CUTS, ...SPELLED]
  .map((one): Taking => (typeof one === 'string' ? { steps: [one] } : one))
  .filter(({ majors, control }) => majors === undefined && control === undefined)
  .flatMap(({ steps }) => steps);

let database: MaskedDatabase;

beforeAll(async () => {
  database = await maskedDatabase(`CREATE ROLE hoop; ${TEXT_FIXTURE}`, new Map());
});

afterAll(() => database?.stop());

const ruleOf = async (sql: string) =>
  (await database.planOf(sql, ['public.initials'])).refusal?.rule ?? 'permitted';

test.each(QUERIES)('refused: %s', async (sql) => {
  expect(['computed-text', 'unlisted-function', 'text-definition']).toContain(await ruleOf(sql));
});

test.each(HONEST)('permitted: %s', async (sql) => {
  expect(await ruleOf(sql)).toBe('permitted');
});
