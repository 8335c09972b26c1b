import { expect, it } from 'vitest';
import type { MaskKind } from '../../../../src/policy/model.ts';
import { shownFields } from '../../../../src/protocols/http/shown/fields.ts';
import { detecting } from './support.ts';

const headers = new Map<string, MaskKind>([
  ['x-customer', 'redact'],
  ['x-mail', 'partial'],
  ['x-gone', 'null'],
]);

const shown = (name: string, value: string, mask: MaskKind = 'redact') =>
  shownFields([[name, value]], { headers, detects: detecting(mask) });

it.each<[name: string, value: string, by: string | undefined]>([
  ['x-customer', 'anything', '***'],
  ['x-mail', 'alice@example.com', 'a***@e***.com'],
  ['x-gone', 'anything', undefined],
  ['location', '/customers/a.b@example.nl', '/customers/***'],
  ['link', '</c?ssn=123-45-6789>; rel="next"', '</c?ssn=***>; rel="next"'],
  ['location', '/c?ssn=123%2D45%2D6789', undefined],
  ['date', 'Sun, 29 Nov 2026 01:40:00 GMT', 'Sun, 29 Nov 2026 01:40:00 GMT'],
  ['x-request-id', '018f2d1c-7b4e-7cc0-9d3a-1f2e3d4c5b6a', '018f2d1c-7b4e-7cc0-9d3a-1f2e3d4c5b6a'],
  ['content-disposition', 'attachment; filename="4111111111111111.pdf"', 'attachment; filename="***.pdf"'],
])('%s: %s', (name, value, by) => {
  const { fields, masked } = shown(name, value);
  expect(fields).toEqual(by === undefined ? [] : [[name, by]]);
  expect(masked).toBe(by === value ? 0 : 1);
});

it('gives the same fields where nothing is masked', () => {
  const fields = [['x-customer', 'a@b.nl']] as const;
  expect(shownFields(fields, { headers: new Map(), detects: undefined }).fields).toBe(fields);
});
