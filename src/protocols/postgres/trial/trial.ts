import type { TriedOut } from '../../../api/approvals.ts';
import { toHoopError } from '../../../core/errors.ts';
import { whenAborted } from '../../../core/later.ts';
import type { Viewer } from '../../adapter.ts';
import type { KnownCatalog } from '../catalog/service.ts';
import type { StatementFacts } from '../sql/facts/facts.ts';
import { rowsChanged } from '../sql/meaning/plan.ts';
import type { SqlParser } from '../sql/parse/parser.ts';
import type { SideConnection } from '../target/side-connection.ts';
import { Conversation } from './conversation.ts';
import { counted } from './counts.ts';
import { parseTrial, type TrialStatement } from './document.ts';
import { firstRows, planRows } from './first-rows.ts';
import { notCounted } from './offer.ts';
import { notOffered, primaryKey, readAll } from './question.ts';
import { Reach } from './reach.ts';
import { Sight, type SightParts } from './sight.ts';

export interface TrialParts {
  readonly parser: SqlParser;
  readonly catalog: () => Promise<KnownCatalog>;
  readonly definitions: () => Promise<string>;
  /** A connection of its own, in the role that would run the statement. */
  readonly connect: (signal: AbortSignal) => Promise<SideConnection>;
  readonly resource: SightParts['resource'];
  /** In force now. */
  readonly detectors: () => SightParts['detectors'];
  readonly plainText: SightParts['plainText'];
}

/** For reading what it may run, before anything is locked. */
const READ_MS = 5000;

/**
 * Runs a statement that waits for people in a transaction that is rolled back, and counts; then once more, to show the first
 * of the rows that it changes.
 *
 * Only what a rollback undoes with certainty is run: one INSERT, UPDATE, DELETE or MERGE of which everything that it may
 * lead to was read. It cannot commit: the server takes one statement in that message, none of whose words ends a
 * transaction, and the connection is closed behind it.
 */
export class Trials {
  readonly #parts: TrialParts;

  constructor(parts: TrialParts) {
    this.#parts = parts;
  }

  /**
   * @param document As `trialDocument` made it.
   * @param viewer Who is shown rows.
   * @param signal Aborted when nobody waits for it any more.
   * @throws {HoopError} `ERR_UNSUPPORTED` it is not certain that nothing would remain; `ERR_TARGET_…`.
   */
  async run(document: string, viewer: Viewer, signal: AbortSignal): Promise<TriedOut> {
    const trial = parseTrial(document);
    if (trial === undefined) throw notOffered('how it would run was not kept');
    const facts = await this.#demandOne(trial.statement);
    // In this order: what differs from what was known before is read anew.
    const definitions = await this.#parts.definitions();
    const known = await this.#parts.catalog();
    const connection = await this.#parts.connect(signal);
    whenAborted(signal, () => connection.close());
    try {
      const ask = async (sql: string) => (await connection.query(sql, READ_MS))[0] ?? [];
      const reach = new Reach(known.catalog);
      await readAll(reach, trial.statement, ask);
      if ((await this.#parts.definitions()) !== definitions)
        throw notOffered('what is defined is changing just now');
      const talk = new Conversation(connection);
      const done = await counted(talk, trial);
      const { runsCode, catches } = reach;
      const rows = await this.#rows(done, { talk, trial, facts, runsCode, known, viewer, ask });
      return { ...done, ...rows, changed: definitions !== trial.definitions, catches };
    } finally {
      connection.close();
    }
  }

  /** @throws {HoopError} `ERR_UNSUPPORTED` it is not one statement of a kind whose rows can be counted. */
  async #demandOne(text: string): Promise<StatementFacts> {
    const { statements } = await this.#parts.parser.parse(text);
    const [one] = statements;
    const read = statements.map((facts) => ({ tag: facts.tag, ...rowsChanged(facts) }));
    const why = notCounted(read);
    if (why !== undefined) throw notOffered(why);
    return one!;
  }

  /** What it counted stands, whatever becomes of this. */
  async #rows(done: Counted, what: What): Promise<Pick<TriedOut, 'first' | 'notShown'>> {
    if (done.fails !== undefined || done.rows === 0) return {};
    const { talk, trial, facts, runsCode, known, viewer, ask } = what;
    try {
      if (!talk.halfLeft) return { notShown: 'it takes too long to be done twice' };
      const { catalog } = known;
      const { resource, parser, plainText } = this.#parts;
      const sight = new Sight({ viewer, known, resource, plainText, detectors: this.#parts.detectors() });
      const major = Math.floor(catalog.serverVersion / 10_000);
      const plan = await planRows(trial, facts, runsCode, {
        catalog,
        sight,
        parse: (text) => parser.parse(text, major),
        keysOf: (relation) => primaryKey(relation, ask),
      });
      return { first: await firstRows(talk, trial, plan, sight) };
    } catch (error) {
      const { code, message } = toHoopError(error);
      if (code === 'ERR_UNSUPPORTED') return { notShown: message };
      if (code === 'ERR_TARGET_LOST') return { notShown: 'they take too long to be read, or are too large' };
      throw error;
    }
  }
}

type Counted = Awaited<ReturnType<typeof counted>>;

interface What {
  readonly talk: Conversation;
  readonly trial: TrialStatement;
  readonly facts: StatementFacts;
  readonly runsCode: boolean;
  readonly known: KnownCatalog;
  readonly viewer: Viewer;
  readonly ask: Parameters<typeof primaryKey>[1];
}
