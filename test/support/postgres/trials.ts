/** Statements that are tried out by an adapter of its own, at a real server. */
import type { TriedOut } from '../../../src/api/approvals.ts';
import { Allowance } from '../../../src/core/allowance.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { Secret } from '../../../src/core/secret.ts';
import { Turns } from '../../../src/core/turns.ts';
import { DetectorSet } from '../../../src/masking/detectors/index.ts';
import type { Adapter, Viewer } from '../../../src/protocols/adapter.ts';
import { createPostgresAdapter } from '../../../src/protocols/postgres/adapter.ts';
import { configuredCredentials } from '../../../src/protocols/postgres/credentials/configured.ts';
import type { SqlParser } from '../../../src/protocols/postgres/sql/parse/parser.ts';
import { trialDocument } from '../../../src/protocols/postgres/trial/document.ts';

/** Of whom nothing is masked, and who may do everything. */
export const SEES_ALL: Viewer = {
  reveal: () => ({ show: true }),
  allows: () => true,
  policyVersion: () => 'v1',
};

export interface How {
  readonly values?: readonly (string | null)[];
  readonly schemas?: readonly string[];
  readonly user?: string;
  /** Settings by their names in lower case. */
  readonly settings?: ReadonlyMap<string, string>;
  readonly viewer?: Viewer;
  readonly signal?: AbortSignal;
}

const never = new AbortController().signal;

/** The role `hoop` at a database `shop`. */
export class TrialTarget {
  readonly adapter: Adapter;

  /** @param classified `schema.table.column` → tags. @param found Tags of detectors. */
  constructor(
    parser: SqlParser,
    port: number,
    classified: Readonly<Record<string, readonly string[]>> = {},
    found: readonly string[] = [],
  ) {
    this.adapter = createPostgresAdapter(
      {
        name: 'it',
        target: { host: '127.0.0.1', port, database: 'shop', tls: 'disable' },
        credentials: () =>
          configuredCredentials(() => ({ user: 'hoop', password: new Secret('hunter2'), settings: {} })),
        settable: { searchPaths: [] },
        computesMasks: false,
        classification: new Map(Object.entries(classified)),
      },
      {
        parser,
        detectors: () => ({ set: new DetectorSet([]), tags: found }),
        clock: systemClock,
        turns: new Turns(),
        allowance: new Allowance(1 << 20),
        learned: () => undefined,
      },
    );
  }

  tried(sql: string, how: How = {}): Promise<TriedOut> {
    const { values = [], schemas = ['pg_catalog', 'public'], user = 'hoop' } = how;
    const { viewer = SEES_ALL, signal = never, settings = new Map() } = how;
    const parameters = values.map((value) => (value === null ? null : Buffer.from(value)));
    const bind = { parameterFormats: [], parameters };
    const path = { schemas, user, creation: 'public' };
    return this.adapter.tryOut!(
      trialDocument(sql, [], bind, { path, settings, definitions: 'then' })!,
      viewer,
      signal,
    );
  }
}
