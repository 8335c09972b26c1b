import { GUARDED } from '../../../support/stack.ts';
import { type AttackGroup, same } from '../../attack.ts';

const FIXTURE = `
CREATE TABLE people (id int, email text); INSERT INTO people VALUES (1, 'ann@example.com');
GRANT SELECT ON people TO hoop;`;

const honest = (what: string, ...steps: string[]) => same({ case: what, steps });
/** Of several statements: those that drivers send as one string. */
const inOneString = (what: string, sql: string, ...steps: string[]) =>
  same({ case: what, forms: ['simple'], steps: [...steps, sql, 'SELECT id FROM people'] });

/** What pools send when a connection is given back, by one who may read and change safe settings. */
export const RT13_RESETS: readonly AttackGroup[] = [
  {
    id: 'RT13',
    scenario: { policy: GUARDED, sql: FIXTURE, columns: { 'public.people.email': ['pii.email'] } },
    attacks: [
      honest(
        'DISCARD ALL, as pgbouncer, Rails and psycopg pools send it',
        'DISCARD ALL',
        'SELECT id FROM people',
      ),
      honest(
        '… again and again',
        'SELECT 1',
        'DISCARD ALL',
        'DISCARD ALL',
        'SELECT id FROM people',
        'DISCARD ALL',
      ),
      honest('… where the server refuses it', 'BEGIN', 'DISCARD ALL', 'ROLLBACK', 'SELECT id FROM people'),
      honest(
        '… gives settings back',
        "SET timezone = 'Asia/Tokyo'",
        "SET statement_timeout = '9s'",
        'DISCARD ALL',
        'SHOW timezone',
        'SHOW statement_timeout',
        'SHOW standard_conforming_strings',
        'SHOW client_encoding',
      ),
      honest(
        '… gives names back',
        'PREPARE p AS SELECT 1',
        'DISCARD ALL',
        'PREPARE p AS SELECT 2',
        'EXECUTE p',
      ),
      honest(
        'RESET ALL and its like',
        'RESET ALL',
        'RESET ROLE',
        'SET ROLE NONE',
        'RESET SESSION AUTHORIZATION',
        'SET SESSION AUTHORIZATION DEFAULT',
        'SET ROLE TO DEFAULT',
        'SELECT current_user = session_user',
      ),
      honest(
        'RESET of one setting',
        'RESET statement_timeout',
        'RESET client_encoding',
        'RESET standard_conforming_strings',
        'SET row_security TO DEFAULT',
        'SET LOCAL work_mem TO DEFAULT',
        "SELECT set_config('work_mem', NULL, false)",
        'RESET TIME ZONE',
        'SELECT id FROM people',
      ),
      honest(
        'names given back',
        'DEALLOCATE ALL',
        'DEALLOCATE PREPARE ALL',
        'CLOSE ALL',
        'UNLISTEN *',
        'UNLISTEN some',
      ),
      honest('the other DISCARDs', 'DISCARD PLANS', 'DISCARD SEQUENCES', 'DISCARD TEMP', 'DISCARD TEMPORARY'),
      honest('advisory locks given back', 'SELECT pg_advisory_unlock_all()', 'SELECT id FROM people'),
      honest('… in a transaction', 'BEGIN', 'RESET ALL', 'CLOSE ALL', 'SELECT id FROM people', 'COMMIT'),
      inOneString(
        'as asyncpg sends it',
        'SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;',
      ),
      inOneString(
        'as Npgsql sends it where statements are kept',
        'SET SESSION AUTHORIZATION DEFAULT;RESET ALL;CLOSE ALL;UNLISTEN *;SELECT pg_advisory_unlock_all();DISCARD SEQUENCES;DISCARD TEMP',
      ),
      inOneString('as SQLAlchemy’s manual has it', 'CLOSE ALL; RESET ALL; DEALLOCATE ALL'),
    ],
  },
];
