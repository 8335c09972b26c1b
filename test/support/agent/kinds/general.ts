import type { GeneralRule } from '../../../../src/enforcement/refusals.ts';
import type { Kind } from './kind.ts';

/** Of each rule by which anything is refused. */
export const GENERAL_KINDS: Readonly<Record<GeneralRule, Kind>> = {
  'default-deny': { refused: ['SELECT purge()'], other: ['SELECT 1'] },
  'approval-required': { never: 'a rule that demands an approval has a name, and is named' },
  'nothing-to-decide': { never: 'whatever is read asks for something' },
  'too-many-pairs': {
    refused: [`SELECT 1 FROM ${Array.from({ length: 4_200 }, (_, at) => `w${at}`).join(', ')}`],
    other: ['SELECT 1'],
    shows: '1',
  },
  'policy-error': { refused: ['SELECT * FROM broken'], other: ['SELECT 1'] },
  'rows-not-counted': {
    named: 'write',
    refused: [
      "WITH gone AS (UPDATE orders SET status = 'gone' WHERE id = 2 RETURNING id) SELECT * FROM gone",
    ],
    other: ["UPDATE orders SET status = 'gone' WHERE id = 2"],
    leaves: { sql: 'SELECT status FROM orders WHERE id = 2', before: 'new', after: 'gone' },
  },
  'asks-only': { never: 'hoopctl alone sends what only asks' },
  'explains-only': { never: 'hoopctl alone sends what is only explained' },
  'recording-unavailable': { file: 'test/clients/agent/away.test.ts', test: 'recording' },
};
