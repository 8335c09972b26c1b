/**
 * The audit chain's line format. It is final: a chain written today is verified by every later version.
 *
 * A chain is NDJSON. Each line, without its LF, is
 *
 *     {"hash":"<64 hex>","seq":<n>,"prev":"<64 hex>","<kind>":{…}}
 *     └────── 75 octets ──┘└──────── what the hash covers ────────┘
 *
 * and `hash` is the SHA-256 of every octet that follows it on the line: nobody needs canonical JSON to check it.
 * `prev` is the hash of the line before, 64 zeros on line 0. `kind` is `header` (line 0 only), `event` or
 * `checkpoint`. See docs/audit.md and docs/decisions/0004-audit-chain.md.
 */
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

export const CHAIN_SCHEMA = 1;
/** Prev of the first line. */
export const ZERO_HASH = '0'.repeat(64);
/** Longest line, octets without LF: an original of 1 MiB sealed and encoded (1.4 MiB) and its event fit well. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;
/** `{"hash":"` + 64 + `",`. */
export const HASH_PREFIX_BYTES = 75;

export type RecordKind = 'header' | 'event' | 'checkpoint';

/** Where another chain stood: its last whole line. `seq` and `hash` are absent if that line could not be read. */
export interface ChainLink {
  readonly chain: string;
  readonly seq?: number;
  readonly hash?: string;
}

/** Line 0. */
export interface ChainHeader {
  readonly schemaVersion: number;
  /** `instance/boot/worker`. */
  readonly chain: string;
  /** RFC 3339. */
  readonly at: string;
  /** Ed25519, raw 32 octets, base64url (the `x` of RFC 8037). */
  readonly publicKey: string;
  /** The same writer's chain before this one, if there is one. */
  readonly previous?: ChainLink;
}

/** A signed statement that the chain's first `seq + 1` lines end in `head`. It can be kept elsewhere as an anchor. */
export interface Checkpoint {
  readonly chain: string;
  /** Last line covered: the one before the checkpoint's own. */
  readonly seq: number;
  /** That line's hash. */
  readonly head: string;
  /** RFC 3339. */
  readonly at: string;
  /** True on the last line of a chain whose writer ended in good order. */
  readonly closed: boolean;
  /** Ed25519 over `checkpointText`, base64url. */
  readonly signature: string;
}

export interface ChainLine {
  readonly hash: string;
  readonly seq: number;
  readonly prev: string;
  readonly kind: RecordKind;
  /** The parsed record: an object, otherwise unchecked. */
  readonly record: Readonly<Record<string, unknown>>;
}

/**
 * Writes one line.
 *
 * Pure. `json` must be the text of a JSON object without line breaks, as `JSON.stringify` gives it.
 *
 * @param seq Place in the chain, from 0.
 * @param prev Hash of the line before, `ZERO_HASH` for the first.
 * @returns The line with its LF, and its hash.
 */
export function encodeLine(
  seq: number,
  prev: string,
  kind: RecordKind,
  json: string,
): { readonly line: Buffer; readonly hash: string } {
  const body = `"seq":${seq},"prev":"${prev}","${kind}":${json}}\n`;
  const line = Buffer.allocUnsafe(HASH_PREFIX_BYTES + Buffer.byteLength(body));
  line.write(body, HASH_PREFIX_BYTES);
  const digest = lineHash(line.subarray(0, -1));
  line.write(`{"hash":"${digest}",`, 'latin1');
  return { line, hash: digest };
}

/** The hash that a line ought to carry: SHA-256 over its octets from the 75th on. `line` is without LF. */
export function lineHash(line: Uint8Array): string {
  return hash('sha256', line.subarray(HASH_PREFIX_BYTES), 'hex');
}

const PREFIX = /^\{"hash":"([0-9a-f]{64})",$/;
const HEAD = /^"seq":(0|[1-9][0-9]{0,14}),"prev":"([0-9a-f]{64})","(header|event|checkpoint)":(?=\{)/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads one line (without LF) and checks its layout, not its hash.
 *
 * @returns Undefined if the line has not exactly the layout above: another order of fields, more fields,
 *   whitespace, text that is not UTF-8 or not JSON, more than `MAX_LINE_BYTES`. Never throws.
 */
export function parseLine(line: Uint8Array): ChainLine | undefined {
  if (line.length > MAX_LINE_BYTES || line.length <= HASH_PREFIX_BYTES) return undefined;
  try {
    const prefix = PREFIX.exec(utf8.decode(line.subarray(0, HASH_PREFIX_BYTES)));
    const text = utf8.decode(line.subarray(HASH_PREFIX_BYTES));
    const head = HEAD.exec(text.slice(0, 160));
    if (prefix === null || head === null || !text.endsWith('}')) return undefined;
    const record: unknown = JSON.parse(text.slice(head[0].length, -1));
    if (typeof record !== 'object' || record === null) return undefined;
    return {
      hash: prefix[1]!,
      seq: Number(head[1]),
      prev: head[2]!,
      kind: head[3] as RecordKind,
      record: record as Record<string, unknown>,
    };
  } catch {
    return undefined;
  }
}

/** The octets that a checkpoint's signature covers: six lines joined by LF, no LF at the end. */
function checkpointText(c: Omit<Checkpoint, 'signature'>): string {
  return ['hoop-audit-checkpoint/1', c.chain, c.seq, c.head, c.at, c.closed ? 'closed' : 'open'].join('\n');
}

/**
 * Signs the chain's head as it stands, so that nothing before it can be cut or changed unseen.
 *
 * @param key Ed25519 private key.
 * @returns The checkpoint with its signature, base64url. Pure.
 * @throws {TypeError} The key is not one that can sign so.
 * @see https://www.rfc-editor.org/rfc/rfc8032 Ed25519
 */
export function signCheckpoint(checkpoint: Omit<Checkpoint, 'signature'>, key: KeyObject): Checkpoint {
  const signature = sign(null, Buffer.from(checkpointText(checkpoint)), key).toString('base64url');
  return { ...checkpoint, signature };
}

/** @param publicKey As in the header. @returns False also for a key or a signature that is none. Never throws. */
export function checkpointHolds(checkpoint: Checkpoint, publicKey: string): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
    const signature = Buffer.from(checkpoint.signature, 'base64url');
    return verify(null, Buffer.from(checkpointText(checkpoint)), key, signature);
  } catch {
    return false;
  }
}

/**
 * Raw public half of an Ed25519 key, base64url, as it stands in a header.
 *
 * @returns 32 octets as 43 characters. Pure.
 * @throws {TypeError} The key is of another kind.
 * @see https://www.rfc-editor.org/rfc/rfc8037 §2
 */
export function rawPublicKey(key: KeyObject): string {
  const x = createPublicKey(key).export({ format: 'jwk' }).x;
  if (x === undefined) throw new TypeError('not an Ed25519 key');
  return x;
}
