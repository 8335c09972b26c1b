import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Original } from '../../../src/audit/event.ts';
import { loadSealKey, loadSigningKey, newSealKeyText, parseSealKey } from '../../../src/audit/keys.ts';
import { MAX_ORIGINAL_BYTES, Sealer, unseal } from '../../../src/audit/seal.ts';
import { EVENT_LIMITS, EventShaper } from '../../../src/audit/shape.ts';
import { cutText, jsonBytes } from '../../../src/audit/text.ts';
import { closed, decided } from '../../support/audit.ts';

/** Every UTF-16 unit: control characters and halves of pairs too. */
const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
const anyText = fc.oneof(fc.string(), fc.string({ unit, maxLength: 40 }));
const key = parseSealKey(newSealKeyText());
const sealer = new Sealer(key);
const directory = mkdtempSync(join(tmpdir(), 'hoop-seal-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('a sealed original', () => {
  it('comes out as it went in, whatever it holds', () => {
    const name = fc.string({ maxLength: 20 }).filter((text) => text !== 'cut' && text !== '__proto__');
    const original = fc.dictionary(name, fc.oneof(anyText, fc.array(fc.option(anyText, { nil: null }))), {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(original, (value) => {
        const { sealed, cut } = sealer.seal(value, 'evt_1');
        expect(cut).toBe(false);
        expect(unseal(sealed, 'evt_1', [key])).toEqual({ original: value, cut: false });
      }),
      { numRuns: 60 },
    );
  });

  it('opens with no other key, no other event, and not if a bit was changed', () => {
    const { sealed } = sealer.seal({ statement: 'select 4711' }, 'evt_1');
    const other = parseSealKey(newSealKeyText());
    const refused = { code: 'ERR_VERIFY' };
    expect(() => unseal(sealed, 'evt_1', [other])).toThrow(expect.objectContaining(refused));
    expect(() => unseal(sealed, 'evt_1', [{ ...other, id: key.id }])).toThrow(
      expect.objectContaining(refused),
    );
    expect(() => unseal(sealed, 'evt_2', [key])).toThrow(expect.objectContaining(refused));
    const bytes = Buffer.from(sealed.data, 'base64url');
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i]! ^= 1;
      const forged = { ...sealed, data: changed.toString('base64url') };
      expect(() => unseal(forged, 'evt_1', [key])).toThrow(expect.objectContaining(refused));
    }
    for (const nonce of ['', '-1', 'x', `${Number(sealed.nonce) + 1}`, `${sealed.nonce}.0`])
      expect(() => unseal({ ...sealed, nonce }, 'evt_1', [key])).toThrow(expect.objectContaining(refused));
    expect(() => unseal({ ...sealed, data: '' }, 'evt_1', [key])).toThrow(expect.objectContaining(refused));
    expect(unseal(sealed, 'evt_1', [other, key]).original).toEqual({ statement: 'select 4711' });
  });

  it('never has the same nonce or ciphertext twice', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 5000; i++) {
      const original = { statement: 'select 1'.padEnd(i % 100) };
      const { sealed } = sealer.seal(original, 'evt_1');
      seen.add(sealed.nonce).add(sealed.data);
      if (i % 50 === 0) expect(unseal(sealed, 'evt_1', [key]).original).toEqual(original);
    }
    expect(seen.size).toBe(10_000);
  });

  it('is cut at 1 MiB, from its end, and says so', () => {
    const parameters = Array.from({ length: 100 }, (_, i) => `${i}`.repeat(50_000));
    const { sealed, cut } = sealer.seal({ statement: 'select $1', parameters }, 'evt_1');
    expect(cut).toBe(true);
    expect(Buffer.from(sealed.data, 'base64url').length).toBeLessThan(MAX_ORIGINAL_BYTES + 2048);
    const opened = unseal(sealed, 'evt_1', [key]);
    expect(opened).toMatchObject({ original: { statement: 'select $1' }, cut: true });
    expect(opened.original['parameters']!.slice(0, 10)).toEqual(parameters.slice(0, 10));
    const escapes = sealer.seal({ statement: '\u0001'.repeat(4 * 1024 * 1024) }, 'evt_1');
    expect(Buffer.from(escapes.sealed.data, 'base64url').length).toBeLessThan(MAX_ORIGINAL_BYTES + 2048);
    const many = sealer.seal({ parameters: Array.from({ length: 500_000 }, () => null) }, 'evt_1');
    expect(many.cut).toBe(true);
  });
});

describe('an event as it is stored', () => {
  const parse = (input: Parameters<EventShaper['json']>[0]) =>
    JSON.parse(new EventShaper(sealer).json(input, 'evt_1', 'now'));

  it('has the original nowhere but sealed, and no field that was not named', () => {
    const secret = 'select * from orders where card = 4111111111111111';
    const input = {
      ...decided('op_1'),
      original: { statement: secret, parameters: ['s3cret'] },
      stray: 's3cret',
    };
    const text = new EventShaper(sealer).json(input, 'evt_1', 'now');
    expect(text).not.toMatch(/4111|s3cret|original|stray/);
    expect(unseal(JSON.parse(text).sealed, 'evt_1', [key]).original).toEqual({
      statement: secret,
      parameters: ['s3cret'],
    });
    expect(parse(closed('op_1'))).not.toHaveProperty('sealed');
  });

  it.each<[string, Original, Original | undefined]>([
    ['nothing of what the text shows whole', { command: 'shown' }, undefined],
    ['nothing of an empty list', { command: 'shown', arguments: [] }, undefined],
    ['what the text does not show', { command: 'shown', arguments: ['a', null] }, { arguments: ['a', null] }],
    ['everything where nothing is shown whole', { command: 'ls', body: 'b' }, { command: 'ls', body: 'b' }],
  ])('seals %s', (_, original, hidden) => {
    const { sealed } = parse({ type: 'operation.decided', text: 'shown', original });
    expect(sealed === undefined ? undefined : unseal(sealed, 'evt_1', [key]).original).toEqual(hidden);
  });

  it('is bounded in every part, and names what was cut', () => {
    const long = 'é'.repeat(100_000);
    const event = parse({
      type: 'operation.decided',
      text: long,
      reason: long,
      actions: Array.from({ length: 100 }, (_, i) => `a${i}`),
      objects: Array.from({ length: 5000 }, (_, i) => `pg/${i}${long}`),
      rules: [{ id: 'r', reason: long, hint: long }],
      facts: { a: long, b: 1 },
      original: { statement: long.repeat(20) },
    });
    expect(event.cut).toEqual(['original', 'text', 'reason', 'actions', 'objects', 'rules', 'facts']);
    expect(Buffer.byteLength(event.text)).toBe(EVENT_LIMITS.textBytes);
    expect(event.objects).toHaveLength(EVENT_LIMITS.objects);
    expect(event.facts.b).toBe(1);
    expect(JSON.stringify(event).length).toBeLessThan(3.5 * 1024 * 1024);
  });

  it('cuts between characters', () => {
    fc.assert(
      fc.property(anyText, fc.nat(80), (text, max) => {
        const part = cutText(text, max);
        expect(text.startsWith(part.text)).toBe(true);
        expect(Buffer.byteLength(JSON.stringify(part.text)) - 2).toBeLessThanOrEqual(max);
        expect(part.cut).toBe(part.text !== text);
        expect(jsonBytes(text)).toBe(Buffer.byteLength(JSON.stringify(text)) - 2);
        expect(part.text.isWellFormed() || !text.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('keys', () => {
  it('are 32 octets in any usual spelling, named alike, and never shown', () => {
    const octets = Buffer.alloc(32, 7);
    const spellings = [
      octets.toString('hex'),
      `${octets.toString('base64')}\n`,
      octets.toString('base64url'),
    ];
    expect(new Set(spellings.map((text) => parseSealKey(text).id)).size).toBe(1);
    for (const text of ['', 'short', 'z'.repeat(64), octets.toString('hex').slice(2)]) {
      expect(() => parseSealKey(text)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG' }));
    }
    expect(() => parseSealKey('hunter2')).toThrow(expect.not.stringContaining('hunter2'));
  });

  it('are made once, for their owner only', () => {
    const seal = join(directory, 'seal.key');
    const first = loadSealKey(seal, { create: true });
    expect(loadSealKey(seal, { create: true }).id).toBe(first.id);
    expect(statSync(seal).mode & 0o777).toBe(0o600);
    const sign = join(directory, 'sign.pem');
    loadSigningKey(sign, { create: true });
    expect(loadSigningKey(sign).asymmetricKeyType).toBe('ed25519');
    expect(statSync(sign).mode & 0o777).toBe(0o600);
    const refused = expect.objectContaining({ code: 'ERR_CONFIG' });
    expect(() => loadSealKey(join(directory, 'none'))).toThrow(refused);
    writeFileSync(join(directory, 'not.pem'), 'hello');
    expect(() => loadSigningKey(join(directory, 'not.pem'))).toThrow(refused);
  });
});
