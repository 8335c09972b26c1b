import { describe, expect, it } from 'vitest';
import { parseTrial } from '../../../../src/protocols/postgres/trial/document.ts';
import { trialOffer } from '../../../../src/protocols/postgres/trial/offer.ts';
import { plansOf } from './fixture.ts';

type Tried = Parameters<typeof trialOffer>[1];

const place = {
  path: { schemas: ['pg_catalog', 'public'], creation: 'public', user: 'hoop' },
  settings: new Map<string, string>(),
  definitions: 'd',
};
const offer = (statement: string, more: Partial<Tried> = {}, unread = false) =>
  trialOffer(
    { plans: plansOf(statement), unread },
    { statement, types: [], bind: undefined, place, prepares: false, ...more },
  );
const not = (what: string) => `only rows are counted that are changed, not what ${what} does`;

describe('what would change is counted', () => {
  it.each([
    "INSERT INTO plain VALUES (1, 'a')",
    "UPDATE plain SET title = 'a'",
    'DELETE FROM plain WHERE id = 1 RETURNING id',
    'WITH gone AS (DELETE FROM plain RETURNING id) UPDATE audited SET total = 0 WHERE id IN (SELECT id FROM gone)',
    'MERGE INTO plain p USING audited a ON a.id = p.id WHEN MATCHED THEN DELETE',
  ])('%s', (statement) => {
    const offered = offer(statement);
    expect(parseTrial('how' in offered ? offered.how : offered.not)).toMatchObject({ statement });
  });
});

describe('what cannot be counted says why', () => {
  it.each([
    ['SELECT id FROM plain', 'SELECT'],
    ['WITH gone AS (DELETE FROM plain RETURNING id) SELECT * FROM gone', 'SELECT'],
    ['TRUNCATE plain', 'TRUNCATE TABLE'],
    ['ALTER TABLE plain ADD COLUMN x text', 'ALTER TABLE'],
    ['CREATE TABLE t (id int)', 'CREATE TABLE'],
    ['CREATE TABLE t AS SELECT id FROM plain', 'CREATE TABLE AS'],
    ['DROP TABLE plain', 'DROP TABLE'],
    ['GRANT SELECT ON plain TO bob', 'GRANT'],
    ['COPY plain FROM STDIN', 'COPY'],
    ['CALL purge()', 'CALL'],
    ['DO $$ BEGIN END $$', 'DO'],
    ['LOCK TABLE plain', 'LOCK TABLE'],
    ['VACUUM plain', 'VACUUM'],
    ['BEGIN', 'BEGIN'],
    ['EXECUTE p(1)', 'EXECUTE'],
    ["PREPARE p AS UPDATE plain SET title = 'a'", 'PREPARE'],
    ['EXPLAIN ANALYZE DELETE FROM plain', 'EXPLAIN'],
  ])('%s', (statement, what) => expect(offer(statement)).toEqual({ not: not(what) }));

  it.each<[string, ReturnType<typeof offer>, string]>([
    ['several statements', offer('DELETE FROM plain; DELETE FROM plain'), 'it is not one statement'],
    ['a function call', offer('SELECT 1', { statement: undefined }), not('a function call')],
    [
      'what is only prepared',
      offer('DELETE FROM plain', { prepares: true }),
      'it is only prepared, and not run yet',
    ],
    ['what was not read', offer('DELETE FROM plain', {}, true), 'nobody knows for certain what it does'],
    [
      'an unknown path',
      offer('DELETE FROM plain', { place: undefined }),
      'where its names are looked up is not known',
    ],
    [
      'temporary tables',
      offer('DELETE FROM plain', {
        place: { ...place, path: { ...place.path, schemas: ['pg_temp_3', 'public'] } },
      }),
      'its session has temporary tables, which it may mean',
    ],
    [
      'a very long one',
      offer(`DELETE FROM plain WHERE title = '${'x'.repeat(70_000)}'`),
      'it is too long to be kept for that',
    ],
  ])('%s', (_, offered, why) => expect(offered).toEqual({ not: why }));
});
