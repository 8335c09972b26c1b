import type { SqlNames } from '../reading/sql-names.ts';
import type { Statements } from '../reading/statements.ts';
import type { Forwarder } from './forwarder.ts';
import type { SessionState } from './state.ts';

/** What the requests of one session share. */
export interface RequestParts {
  readonly state: SessionState;
  readonly statements: Statements;
  readonly names: SqlNames;
  readonly out: Forwarder;
}
