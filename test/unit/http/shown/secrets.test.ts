import fc from 'fast-check';
import { expect, it } from 'vitest';
import { JsonMasker } from '../../../../src/masking/json/json-masker.ts';
import { SecretForms, SecretScrubber } from '../../../../src/protocols/http/shown/secrets.ts';
import { fields, shownAlways, shownOf } from './support.ts';

const SECRET = 'tok/en+"é"=42 x';
const forms = new SecretForms([SECRET, 'another-secret', 'short']);
const UNTOUCHED = { maskedValues: 0, push: (chunk: Uint8Array) => chunk, end: () => undefined };
const make = () => new SecretScrubber(forms, UNTOUCHED);

const unicode = (text: string) =>
  text.replace(/[+=&<>']/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`);
const json = JSON.stringify(SECRET).slice(1, -1);

it.each<[form: string, said: string]>([
  ['as it is', SECRET],
  ['in JSON', json],
  ['in JSON with slashes escaped', json.replaceAll('/', '\\/')],
  ['in JSON made safe for HTML', unicode(json)],
  ['in a URL', encodeURIComponent(SECRET)],
  ['in a URL in small letters', encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase())],
  ['in a form', encodeURIComponent(SECRET).replaceAll('%20', '+')],
])('finds it %s, in any pieces, and lengths stay', (_, said) => {
  const text = `before ${said} after`;
  const shown = shownAlways(make, text);
  expect(shown).toBe(`before ${'*'.repeat(Buffer.byteLength(said))} after`);
});

it.each([0, 1, 2, 3, 4, 5])('finds it within base64, %d octets after the beginning', (before) => {
  const text = Buffer.from(`${'x'.repeat(before)}${SECRET}yyy`).toString('base64');
  const shown = shownAlways(make, text);
  expect(shown).toMatch(/\*{18,}/);
  expect(shown).toHaveLength(text.length);
  expect(shownAlways(make, Buffer.from(`user:${SECRET}`).toString('base64url'))).toMatch(/\*{18,}/);
});

it('leaves what is too short to be told, and everything else', () => {
  for (const text of ['short', 'tok/en', '', 'another-secre']) expect(shownAlways(make, text)).toBe(text);
});

it('holds nothing back that is no beginning of one', () => {
  const masker = make();
  expect(String(masker.push(Buffer.from('data: x\n\n')))).toBe('data: x\n\n');
  expect(String(masker.push(Buffer.from('data: another-')))).toBe('data: ');
  expect(String(masker.push(Buffer.from('secret\n')))).toBe('**************\n');
});

it('never shows one, whatever pieces it comes in', () => {
  const said = fc.constantFrom(SECRET, 'another-secret', 'another-', 'tok/en+', ' ', 'secret');
  fc.assert(
    fc.property(fc.array(said, { maxLength: 12 }), fc.integer({ min: 1, max: 40 }), (parts, size) => {
      const bytes = Buffer.from(parts.join(''));
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      const shown = shownOf(make(), pieces);
      expect(shown).not.toContain(SECRET);
      expect(shown).not.toContain('another-secret');
      expect(Buffer.byteLength(shown)).toBe(bytes.length);
    }),
  );
});

it('looks at what is shown, masked', () => {
  const masked = () => new SecretScrubber(forms, new JsonMasker(fields({ '$.email': 'redact' }), undefined));
  expect(shownAlways(masked, '{"email":"a","echo":"another-secret"}')).toBe(
    '{"email":"***","echo":"**************"}',
  );
});
