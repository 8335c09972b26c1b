import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHAIN_START, ChainGroup } from '../../../src/audit/chain.ts';
import { MAX_LINE_BYTES, parseLine, rawPublicKey } from '../../../src/core/evidence/audit-chain.ts';
import {
  type ChainReport,
  type VerifyOptions,
  verifyChain,
  verifyLinks,
} from '../../../src/core/evidence/audit-verify.ts';

const key = generateKeyPairSync('ed25519').privateKey;
const publicKey = rawPublicKey(key);
const at = '2026-01-31T09:00:00.000Z';
const CHAIN = 'gw/boot_1/0';

interface ChainShape {
  readonly signer?: KeyObject;
  readonly chain?: string;
  readonly previous?: { chain: string; seq: number; hash: string };
  readonly closed?: boolean;
}

/** header, checkpoint, event × 3, checkpoint, event × 2, and the closing checkpoint if asked for. */
function lines({ signer = key, chain = CHAIN, previous, closed = false }: ChainShape = {}): string[] {
  const group = new ChainGroup(chain, signer, CHAIN_START);
  const header = { schemaVersion: 1, chain, at, publicKey: rawPublicKey(signer) };
  group.header(previous === undefined ? header : { ...header, previous });
  group.checkpoint(at, false);
  for (let i = 0; i < 3; i++) group.event(JSON.stringify({ id: `evt_${i}`, text: 'größer ☃' }));
  group.checkpoint(at, false);
  for (let i = 3; i < 5; i++) group.event(JSON.stringify({ id: `evt_${i}` }));
  if (closed) group.checkpoint(at, true);
  return group.bytes().toString().split('\n').slice(0, -1);
}

const verifyText = (text: string, options?: VerifyOptions) => verifyChain([Buffer.from(text)], options);
const verifyAll = (all: readonly string[], options?: VerifyOptions) =>
  verifyText(all.map((line) => `${line}\n`).join(''), options);

describe('a chain as it was written', () => {
  it('holds, and says how far it is proven', async () => {
    const all = lines();
    const head = parseLine(Buffer.from(all[7]!))!;
    expect(await verifyAll(all, { trustedKeys: [publicKey], chain: CHAIN })).toEqual({
      ok: true,
      chain: CHAIN,
      publicKey,
      signer: 'trusted',
      events: 5,
      checkpoints: 2,
      head: { seq: 7, hash: head.hash },
      signedThrough: 4,
      signedAt: at,
      tail: { unsignedEvents: 2, tornBytes: 0 },
      closed: false,
      previous: undefined,
    });
    expect(await verifyAll(lines({ closed: true }))).toMatchObject({
      ok: true,
      closed: true,
      signer: 'unchecked',
      signedThrough: 7,
      tail: { unsignedEvents: 0 },
    });
  });

  it('reads the same however the octets are split', async () => {
    const bytes = Buffer.from(lines().join('\n'));
    const whole = await verifyChain([bytes]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 }),
        async (cuts) => {
          const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
          const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
          expect(await verifyChain(chunks)).toEqual(whole);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('may end in a torn write, wherever it was torn', async () => {
    const all = lines();
    const before = all
      .slice(0, 7)
      .map((line) => `${line}\n`)
      .join('');
    for (let cut = 1; cut <= all[7]!.length; cut++) {
      const report = await verifyText(before + all[7]!.slice(0, cut));
      expect(report).toMatchObject({ ok: true, events: 4, tail: { unsignedEvents: 1, tornBytes: cut } });
    }
  });
});

describe('every kind of edit, at every line', () => {
  const all = lines({ closed: true });
  const last = all.length - 1;
  const other = lines({ signer: generateKeyPairSync('ed25519').privateKey, closed: true });
  const swapDigit = (text: string) =>
    text.endsWith('0') ? `${text.slice(0, -1)}1` : `${text.slice(0, -1)}0`;
  const edits: Record<string, (copy: string[], i: number) => void> = {
    'one character': (copy, i) => (copy[i] = copy[i]!.replace(/.(?=\}\}$)/u, (c) => (c === 'x' ? 'y' : 'x'))),
    'its hash': (copy, i) => (copy[i] = copy[i]!.replace(/[0-9a-f]{64}/, swapDigit)),
    'its seq': (copy, i) =>
      (copy[i] = copy[i]!.replace(/"seq":(\d+)/, (_, seq) => `"seq":${Number(seq) + 1}`)),
    'its prev': (copy, i) => (copy[i] = copy[i]!.replace(/(?<="prev":")[0-9a-f]{64}/, swapDigit)),
    'a space': (copy, i) => (copy[i] = `${copy[i]} `),
    'a carriage return': (copy, i) => (copy[i] = `${copy[i]}\r`),
    'an empty line before it': (copy, i) => copy.splice(i, 0, ''),
    removal: (copy, i) => copy.splice(i, 1),
    doubling: (copy, i) => copy.splice(i, 0, copy[i]!),
    'a swap with the next': (copy, i) => copy.splice(i, 2, copy[i + 1] ?? '{}', copy[i]!),
    'a line of another chain': (copy, i) => (copy[i] = other[i]!),
  };
  for (const [name, edit] of Object.entries(edits)) {
    it(name, async () => {
      for (let i = 0; i <= last; i++) {
        // Of a closed chain the last line is not missed: that is said of a cut tail below.
        if (name === 'removal' && i === last) continue;
        const copy = [...all];
        edit(copy, i);
        const report = await verifyAll(copy, { trustedKeys: [publicKey] });
        expect(report.ok, `line ${i}`).toBe(false);
        expect(report.problem!.line, `line ${i}`).toBeGreaterThanOrEqual(i + 1);
        expect(report.problem!.line, `line ${i}`).toBeLessThanOrEqual(i + 2);
        expect(report.head?.seq ?? -1).toBe(report.problem!.line - 2);
      }
    });
  }

  it('says what is wrong', async () => {
    const reason = async (copy: string[], options?: VerifyOptions) =>
      (await verifyAll(copy, options)).problem;
    expect(await reason(all.toSpliced(3, 1))).toEqual({ line: 4, seq: 4, reason: 'seq-gap' });
    expect(await reason([])).toMatchObject({ reason: 'empty' });
    expect(await reason(['', ...all])).toEqual({ line: 1, reason: 'not-a-line' });
    expect(await reason(['{"a":1}'])).toMatchObject({ reason: 'not-a-line' });
    expect(await reason(all.slice(2))).toMatchObject({ line: 1, reason: 'seq-gap' });
    expect(await reason([...all, all[2]!])).toEqual({ line: 10, seq: 2, reason: 'after-close' });
    expect(await reason(all, { trustedKeys: [] })).toMatchObject({ line: 1, reason: 'untrusted-key' });
    expect(await reason(all, { chain: 'gw/boot_2/0' })).toMatchObject({ reason: 'wrong-chain' });
    expect((await verifyText(`${all.join('\n')}\n{"ha`)).problem).toMatchObject({ reason: 'after-close' });
    const long = await verifyText(`${all.join('\n')}\n${'x'.repeat(MAX_LINE_BYTES + 1)}`);
    expect(long.problem).toEqual({ line: 10, reason: 'line-too-long' });
  });
});

describe('a forger who can compute hashes but not sign', () => {
  /** The chain with one event changed and everything after it hashed anew. */
  function rehashed(keepSignatures: boolean): string[] {
    const forger = generateKeyPairSync('ed25519').privateKey;
    const group = new ChainGroup(CHAIN, forger, CHAIN_START);
    group.header({
      schemaVersion: 1,
      chain: CHAIN,
      at,
      publicKey: keepSignatures ? publicKey : rawPublicKey(forger),
    });
    group.checkpoint(at, false);
    for (let i = 0; i < 3; i++) group.event(JSON.stringify({ id: `evt_${i}`, text: 'nothing happened' }));
    group.checkpoint(at, false);
    return group.bytes().toString().split('\n').slice(0, -1);
  }

  it('is met at the first checkpoint', async () => {
    expect((await verifyAll(rehashed(true))).problem).toEqual({ line: 2, seq: 1, reason: 'bad-signature' });
  });

  it('cannot use a key of his own where the key is pinned, and only there', async () => {
    const forged = rehashed(false);
    expect((await verifyAll(forged, { trustedKeys: [publicKey] })).problem?.reason).toBe('untrusted-key');
    expect(await verifyAll(forged)).toMatchObject({ ok: true, signer: 'unchecked' });
  });

  it('cannot move a checkpoint, nor use one of another chain', async () => {
    const all = lines();
    const moved = new ChainGroup(CHAIN, key, CHAIN_START);
    moved.header({ schemaVersion: 1, chain: CHAIN, at, publicKey });
    const foreign = new ChainGroup('gw/boot_2/0', key, moved.state);
    foreign.checkpoint(at, false);
    const copy = [moved.bytes().toString().trim(), foreign.bytes().toString().trim()];
    expect((await verifyAll(copy)).problem).toMatchObject({ line: 2, reason: 'checkpoint-mismatch' });
    expect(all).toHaveLength(8);
  });
});

describe('a cut tail', () => {
  it('is not noticed in the chain alone, is by an anchor, and by the next chain', async () => {
    const all = lines();
    const { hash } = parseLine(Buffer.from(all[5]!))!;
    const chain = String(parseLine(Buffer.from(all[0]!))!.record['chain']);
    const anchoredAt = (at: string) => ({ anchors: new Map([[chain, { seq: 5, hash: at }]]) });
    for (let kept = 1; kept < all.length; kept++) {
      const cut = all.slice(0, kept);
      expect((await verifyAll(cut)).ok).toBe(true);
      const anchored = await verifyAll(cut, anchoredAt(hash));
      expect(anchored.problem?.reason).toBe(kept <= 5 ? 'anchor-missing' : undefined);
    }
    expect((await verifyAll(all, anchoredAt('0'.repeat(64)))).ok).toBe(false);

    const head = parseLine(Buffer.from(all[7]!))!;
    const next = await verifyAll(
      lines({ chain: 'gw/boot_2/0', previous: { chain: CHAIN, seq: 7, hash: head.hash } }),
    );
    const linked = async (before: ChainReport[]) =>
      verifyLinks([...before, next]).map((r) => r.problem?.reason);
    expect(await linked([await verifyAll(all)])).toEqual([undefined, undefined]);
    for (let kept = 1; kept < all.length; kept++)
      expect(await linked([await verifyAll(all.slice(0, kept))])).toEqual(['link-mismatch', undefined]);
    expect(await linked([])).toEqual(['link-missing']);
  });
});

describe('hostile octets', () => {
  it('never throw and never hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        expect((await verifyChain([bytes])).ok).toBe(false);
        expect(parseLine(bytes)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('with a record or a key that is none', () => {
    const bad = [
      '"seq":0,"prev":"P","event":{"a":1},"event":{"a":2}}',
      '"seq":00,"prev":"P","event":{}}',
      '"seq":-1,"prev":"P","event":{}}',
      '"seq":1e3,"prev":"P","event":{}}',
      '"seq":0,"prev":"P","note":{}}',
      '"seq":0,"prev":"P","event":[]}',
      '"seq":0,"prev":"P","event":{}} ',
      '"seq":0,"prev":"P", "event":{}}',
      '"prev":"P","seq":0,"event":{}}',
    ];
    for (const body of bad) {
      const line = `{"hash":"${'0'.repeat(64)}",${body.replace('P', '0'.repeat(64))}`;
      expect(parseLine(Buffer.from(line)), body).toBeUndefined();
    }
  });
});
