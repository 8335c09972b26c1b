import { LineSplitter } from '../bytes/lines.ts';
import {
  CHAIN_SCHEMA,
  type ChainHeader,
  type ChainLine,
  type ChainLink,
  type Checkpoint,
  checkpointHolds,
  lineHash,
  MAX_LINE_BYTES,
  parseLine,
  ZERO_HASH,
} from './audit-chain.ts';

/** Why a chain does not hold. A closed list: docs/audit.md explains each. */
export const CHAIN_PROBLEMS = {
  empty: 'there is no whole line',
  'line-too-long': 'a line is longer than any writer makes',
  'not-a-line': 'the line does not have the layout of a chain',
  'hash-mismatch': 'the line was changed: its hash is not that of its octets',
  'seq-gap': 'a line is missing, doubled or out of order',
  'prev-mismatch': 'the line does not follow the one before it',
  'no-header': 'the first line is not a header',
  'header-again': 'a header stands inside the chain',
  'unknown-schema': 'the chain was written by a newer version',
  'wrong-chain': 'this is another chain than the one asked for',
  'untrusted-key': 'the chain is signed by a key that was not given as trusted',
  'bad-signature': "a checkpoint's signature does not hold",
  'checkpoint-mismatch': 'a checkpoint signs something else than what stands before it',
  'after-close': 'something follows the closing checkpoint',
  'anchor-missing': 'the chain does not contain a checkpoint that was seen earlier: it was cut or rewritten',
  'link-mismatch': 'the next chain of this writer began after another last line than this one',
  'link-missing': 'the chain that this one continues is not there',
  'chain-twice': 'the same chain is here more than once: one of them may end elsewhere',
} as const;
type ChainProblem = keyof typeof CHAIN_PROBLEMS;

export interface VerifyOptions {
  /** Raw Ed25519 public keys, base64url. Without it the header's own key is believed (`signer: 'unchecked'`). */
  readonly trustedKeys?: readonly string[];
  /** Chain id that it must have. */
  readonly chain?: string;
  /** By chain: where it had come to when it was seen earlier. */
  readonly anchors?: ReadonlyMap<string, Anchor>;
}

/** A line's place in its chain, and its hash. */
export interface Anchor {
  readonly seq: number;
  readonly hash: string;
}

export interface ChainReport {
  readonly ok: boolean;
  /** Undefined only if there was no header to read. */
  readonly chain: string | undefined;
  readonly publicKey: string | undefined;
  readonly signer: 'trusted' | 'unchecked';
  readonly events: number;
  readonly checkpoints: number;
  /** Last line that is good. */
  readonly head: { readonly seq: number; readonly hash: string } | undefined;
  /** Seq of the last line that a checkpoint covers, and when it was signed; -1 if none does. */
  readonly signedThrough: number;
  readonly signedAt: string | undefined;
  /** Of what follows `signedThrough` only the order is known: whoever can write the file can cut or rewrite it. */
  readonly tail: { readonly unsignedEvents: number; readonly tornBytes: number };
  /** The writer ended in good order. */
  readonly closed: boolean;
  readonly previous: ChainLink | undefined;
  /** The first thing wrong. `line` counts from 1; lines before it are good. */
  readonly problem?: { readonly line: number; readonly seq?: number; readonly reason: ChainProblem };
}

/**
 * Checks one chain, line by line. Pure; holds a handful of numbers however long the chain is.
 *
 * Detected: any change, deletion, insertion or reordering of lines up to the last signed checkpoint, and behind it any
 * that leaves the lines inconsistent. Not detected without one of `anchors` or the next chain's link: a tail cut off at the
 * end, or rewritten behind `signedThrough`.
 *
 * A **torn tail** is what follows the last LF of the last segment: a write that was cut off by a crash. It is no part
 * of the chain and no problem, unless the chain was closed before it.
 */
class ChainVerifier {
  readonly #options: VerifyOptions;
  #lines = 0;
  #events = 0;
  #checkpoints = 0;
  #header: ChainHeader | undefined;
  #head: { seq: number; hash: string } | undefined;
  #signed = { seq: -1, at: undefined as string | undefined, eventsThen: 0 };
  #closed = false;
  #anchorSeen = false;
  #problem: ChainReport['problem'];

  constructor(options: VerifyOptions = {}) {
    this.#options = options;
  }

  /** Known once there is a header. */
  get #anchor(): Anchor | undefined {
    return this.#header && this.#options.anchors?.get(this.#header.chain);
  }

  /** Takes the next whole line, without LF. Ignored once there is a problem. */
  line(bytes: Uint8Array): void {
    if (this.#problem !== undefined) return;
    this.#lines++;
    const line = parseLine(bytes);
    const reason =
      line === undefined
        ? bytes.length > MAX_LINE_BYTES
          ? 'line-too-long'
          : 'not-a-line'
        : this.#check(line, bytes);
    if (reason !== undefined) this.#fail(reason, line?.seq);
    else if (line !== undefined) this.#accept(line);
  }

  /** Says that the next line did not end within `MAX_LINE_BYTES`. */
  tooLong(): void {
    this.#fail('line-too-long', undefined, this.#lines + 1);
  }

  /** Whether a problem was found: nothing after it is looked at. */
  get failed(): boolean {
    return this.#problem !== undefined;
  }

  #fail(reason: ChainProblem, seq?: number, line = this.#lines): void {
    this.#problem ??= seq === undefined ? { line, reason } : { line, seq, reason };
  }

  /** @param tornBytes Octets after the last LF. @returns What holds. Call once. */
  end(tornBytes = 0): ChainReport {
    if (this.#head === undefined) this.#fail('empty');
    else if (tornBytes > 0 && this.#closed) this.#fail('after-close', undefined, this.#lines + 1);
    else if (this.#anchor !== undefined && !this.#anchorSeen)
      this.#fail('anchor-missing', this.#anchor.seq, this.#lines + 1);
    const problem = this.#problem;
    return {
      ok: problem === undefined,
      chain: this.#header?.chain,
      publicKey: this.#header?.publicKey,
      signer: this.#options.trustedKeys === undefined ? 'unchecked' : 'trusted',
      events: this.#events,
      checkpoints: this.#checkpoints,
      head: this.#head,
      signedThrough: this.#signed.seq,
      signedAt: this.#signed.at,
      tail: { unsignedEvents: this.#events - this.#signed.eventsThen, tornBytes },
      closed: this.#closed,
      previous: this.#header?.previous,
      ...(problem === undefined ? {} : { problem }),
    };
  }

  #check(line: ChainLine, bytes: Uint8Array): ChainProblem | undefined {
    if (lineHash(bytes) !== line.hash) return 'hash-mismatch';
    if (this.#closed) return 'after-close';
    if (line.seq !== (this.#head === undefined ? 0 : this.#head.seq + 1)) return 'seq-gap';
    if (line.prev !== (this.#head?.hash ?? ZERO_HASH)) return 'prev-mismatch';
    if (this.#head === undefined) return this.#checkHeader(line);
    if (line.kind === 'header') return 'header-again';
    return line.kind === 'checkpoint' ? this.#checkCheckpoint(line) : undefined;
  }

  #checkHeader(line: ChainLine): ChainProblem | undefined {
    if (line.kind !== 'header') return 'no-header';
    const header = line.record as unknown as ChainHeader;
    if (header.schemaVersion !== CHAIN_SCHEMA) return 'unknown-schema';
    if (typeof header.chain !== 'string' || typeof header.publicKey !== 'string') return 'not-a-line';
    if (this.#options.chain !== undefined && this.#options.chain !== header.chain) return 'wrong-chain';
    if (this.#options.trustedKeys?.includes(header.publicKey) === false) return 'untrusted-key';
    return undefined;
  }

  #checkCheckpoint(line: ChainLine): ChainProblem | undefined {
    const c = line.record as unknown as Checkpoint;
    const matches = c.chain === this.#header?.chain && c.seq === line.seq - 1 && c.head === line.prev;
    if (!matches || typeof c.at !== 'string' || typeof c.closed !== 'boolean') return 'checkpoint-mismatch';
    return checkpointHolds(c, this.#header?.publicKey ?? '') ? undefined : 'bad-signature';
  }

  #accept(line: ChainLine): void {
    this.#head = { seq: line.seq, hash: line.hash };
    if (line.kind === 'header') this.#header = line.record as unknown as ChainHeader;
    const anchor = this.#anchor;
    if (line.seq === anchor?.seq) this.#anchorSeen = line.hash === anchor.hash;
    if (line.kind === 'event') this.#events++;
    if (line.kind !== 'checkpoint') return;
    const checkpoint = line.record as unknown as Checkpoint;
    this.#checkpoints++;
    this.#closed = checkpoint.closed;
    this.#signed = { seq: checkpoint.seq, at: checkpoint.at, eventsThen: this.#events };
  }
}

/**
 * Checks a chain from the octets of its segments, in order, however they are split.
 *
 * Reads the stream to its end or to the first problem. Throws only what the stream throws.
 *
 * @param chunks All segments' octets, one after the other; segments hold whole lines, but for the last one's tail.
 */
export async function verifyChain(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: VerifyOptions = {},
): Promise<ChainReport> {
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  const verifier = new ChainVerifier(options);
  for await (const chunk of chunks) {
    for (const line of splitter.push(chunk)) verifier.line(line);
    if (splitter.overflow) verifier.tooLong();
    if (verifier.failed) break;
  }
  return verifier.end(splitter.pendingBytes);
}

/**
 * Checks how the chains of one directory hang together: each chain names the last line of the one before it, which
 * proves that the earlier chain was not cut behind its last checkpoint, nor removed.
 *
 * Pure. The newest chain's own tail stays provable only up to its last signed checkpoint.
 *
 * @param reports Any order; a report with a problem of its own keeps it.
 * @returns The same reports, in the same order, with `link-mismatch`, `link-missing` or `chain-twice` added where they apply.
 */
export function verifyLinks(reports: readonly ChainReport[]): ChainReport[] {
  const byChain = new Map(reports.map((report) => [report.chain, report]));
  const broken = new Map<string | undefined, ChainProblem>();
  for (const report of reports) {
    if (report.chain !== undefined && byChain.get(report.chain) !== report)
      broken.set(report.chain, 'chain-twice');
    const link = report.previous;
    if (link === undefined) continue;
    const before = byChain.get(link.chain);
    if (before === undefined) broken.set(report.chain, 'link-missing');
    else if (link.hash !== undefined && (before.head?.seq !== link.seq || before.head?.hash !== link.hash))
      broken.set(link.chain, 'link-mismatch');
  }
  return reports.map((report) => {
    const reason = broken.get(report.chain);
    if (reason === undefined || report.problem !== undefined) return report;
    const line = reason === 'link-missing' || reason === 'chain-twice' ? 1 : (report.head?.seq ?? 0) + 2;
    return { ...report, ok: false, problem: { line, reason } };
  });
}
