/** One line of the sources that a promise stands on: taken out, the adapters' suite must fail. */
export interface Mutation {
  /** What is missing then, as the end of a sentence. */
  readonly without: string;
  readonly file: string;
  /** The adapter that the suite is run with. */
  readonly suite: 'echo' | 'postgres';
  /** Stands in the file once. */
  readonly line: string;
  /** What stands in its place. */
  readonly becomes: string;
  /** Part of the name of a case that must fail. */
  readonly fails: string;
}

/** @throws {Error} The line is not there, or more than once: the list is to be brought up to date. */
export function mutated(text: string, { file, line, becomes }: Mutation): string {
  const [before, after, ...more] = text.split(line);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`${file} does not have this once: ${line}`);
  return before + becomes + after;
}

const GUARD = 'src/protocols/stream/guard.ts';
const LEDGER = 'src/protocols/stream/operations.ts';
const OUTLET = 'src/protocols/stream/outlet.ts';
const ENFORCER = 'src/enforcement/enforcer.ts';
const APPROVAL = 'src/approval';
const JUDGE = 'src/enforcement/judge.ts';
const RELAY = 'src/protocols/postgres/relay';
const TUNNEL = 'src/gateway/tunnel';

const OPENS = 'opens by a decision';
const DENIED = 'sends no octet to the target of what is denied';
const UNREAD = 'sends no octet to the target of what is not understood';
const HELD = 'waits for a yes';
const ONCE = 'lets what was approved through once';
const ALIKE = 'gives a ticket when the time is over';
const RECORDED = 'records what the client was sent, octet for octet, and what it asked';
const MASKED = 'shows a masked value to nobody';
const UNRECORDED = 'refuses what follows once its recording has failed';

/** Lines that every adapter stands on: tried with the smallest. */
const SHARED: readonly Omit<Mutation, 'suite'>[] = [
  {
    without: 'the audit before the verdict',
    file: ENFORCER,
    line: 'return after(audit.append(event), () => verdict);',
    becomes: 'audit.appendSoon(event); return verdict;',
    fails: 'refuses what cannot be audited, sends none of it',
  },
  {
    without: 'a denial where the audit fails',
    file: GUARD,
    line: "if (known.code !== 'ERR_AUDIT_UNAVAILABLE') throw known;",
    becomes: 'throw known;',
    fails: 'refuses what cannot be audited, sends none of it',
  },
  {
    without: 'obedience to the verdict',
    file: GUARD,
    line: "if (verdict.effect === 'deny') return { ...verdict, number };",
    becomes: '',
    fails: DENIED,
  },
  {
    without: "the adapter's refusal before policy",
    file: ENFORCER,
    line: 'if (refusal !== undefined) {',
    becomes: 'if (false) {',
    fails: UNREAD,
  },
  {
    without: 'the using up of a yes',
    file: `${APPROVAL}/desk.ts`,
    line: 'const used = await this.#change(id, (approval) => this.#used(approval, asked.session, operation));',
    becomes: "const used = known?.state === 'approved' ? { ...known, usedBy: operation } : undefined;",
    fails: ONCE,
  },
  {
    without: 'the exact bytes in what a yes covers',
    file: `${APPROVAL}/binding.ts`,
    line: 'original, exact, policyVersion, approvals };\n  return createHash',
    becomes: 'policyVersion, approvals };\n  return createHash',
    fails: ALIKE,
  },
  {
    without: 'a yes before the operation',
    file: ENFORCER,
    line: "if (settled.effect === 'granted')",
    becomes:
      "if (settled.effect === 'refused') return recorded(operation, fields, allowed(id, engine(), {}));" +
      "\n    if (settled.effect === 'granted')",
    fails: 'sends no octet to the target of what is held',
  },
  {
    without: 'word to the one who waits',
    file: 'src/enforcement/approvals.ts',
    line: 'wait.told(holdOf(approval, waitsUntil, this.#desk.terms.page?.(id)));',
    becomes: '',
    fails: HELD,
  },
  {
    without: 'the withdrawal of what nobody waits for',
    file: 'src/enforcement/approvals.ts',
    line: "await this.#desk.withdraw(id, 'the client did not wait for it');",
    becomes: '',
    fails: 'withdraws what its client asked',
  },
  {
    without: 'a look at the recording',
    file: GUARD,
    line: 'return this.#recorder.failed === undefined ? operation : { ...operation, refusal: NOT_RECORDED };',
    becomes: 'return operation;',
    fails: UNRECORDED,
  },
  {
    without: 'the request in the recording',
    file: GUARD,
    line: 'this.#recorder.request(text, verdict.operation);',
    becomes: '0;',
    fails: RECORDED,
  },
  {
    without: 'the answer in the recording',
    file: GUARD,
    line: 'this.#recorder.response(bytes);',
    becomes: '',
    fails: RECORDED,
  },
  {
    without: 'the question of reveal',
    file: GUARD,
    line: 'return this.#enforcer.reveal(this.#session, object);',
    becomes: 'return { show: true, ...(object && {}) };',
    fails: MASKED,
  },
  {
    without: 'a count of operations',
    file: GUARD,
    line: 'this.#tally.operations++;',
    becomes: '',
    fails: OPENS,
  },
  {
    without: 'a count of denials',
    file: GUARD,
    line: "if (verdict.effect === 'deny' && verdict.told !== true) this.#tally.denied++;",
    becomes: '',
    fails: OPENS,
  },
  {
    without: 'an end to what was open when the stream ended',
    file: GUARD,
    line: 'this.#ledger.closeAll();',
    becomes: '',
    fails: 'has an unknown outcome where the client is gone',
  },
  {
    without: 'an outcome that is counted once',
    file: LEDGER,
    line: 'if (!this.#open.delete(operation)) return;',
    becomes: 'if (!this.#open.has(operation)) return;',
    fails: OPENS,
  },
  {
    without: 'doubt of what was not answered',
    file: LEDGER,
    line: "this.close(this.answered ? 'success' : 'unknown');",
    becomes: "this.close('success');",
    fails: 'has an unknown outcome where the client is gone',
  },
  {
    without: 'what the instance gave up',
    file: JUDGE,
    line: 'return rule === undefined ? decision : denial([rule], []);',
    becomes: 'return decision;',
    fails: 'refuses what the instance gave up',
  },
  {
    without: 'the policy that is in force now',
    file: 'src/gateway/compose/rules.ts',
    line: 'engine: () => this.#prepared.engine',
    becomes: 'engine: ((first) => () => first)(this.#prepared.engine)',
    fails: 'obeys a policy that was replaced',
  },
  {
    without: 'the decision of connect',
    file: `${TUNNEL}/evidence.ts`,
    line: "if (verdict.effect === 'deny')",
    becomes: 'if (false)',
    fails: 'does not open, and the target hears nothing',
  },
  {
    without: 'the news of a revocation',
    file: `${TUNNEL}/open-session.ts`,
    line: 'credentials.onEnd(principal, (code) => this.#live.end(new HoopError(code)));',
    becomes: '() => void credentials;',
    fails: 'within a second of a revocation',
  },
];

export const MUTATIONS: readonly Mutation[] = [
  ...SHARED.map((one) => ({ ...one, suite: 'echo' }) as const),
  {
    without: 'a stand-in for a denied statement',
    suite: 'postgres',
    file: `${RELAY}/ask.ts`,
    line: "if (answer.effect === 'deny') {",
    becomes: 'if (false) {',
    fails: DENIED,
  },
  {
    without: 'rows that are rewritten',
    suite: 'postgres',
    file: `${RELAY}/shown-rows.ts`,
    line: 'this.#show(rows, operation, rewritten, count);',
    becomes: 'this.#show(rows, operation, undefined, count);',
    fails: MASKED,
  },
  {
    without: 'the recording of what is written',
    suite: 'postgres',
    file: OUTLET,
    line: 'guard.shown(bytes);',
    becomes: '',
    fails: RECORDED,
  },
];

/** The list as docs/architecture.md shows it. */
export function mutationTable(): string {
  const rows = MUTATIONS.map(
    ({ without, file, fails }) => `| ${without} | \`${file.replace('src/', '')}\` | ${fails} … |`,
  );
  return ['| without | in | the suite fails at |', '| --- | --- | --- |', ...rows].join('\n');
}
