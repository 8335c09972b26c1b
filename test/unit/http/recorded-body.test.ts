import { expect, it } from 'vitest';
import { RecordedRequest } from '../../../src/protocols/http/relay/recorded-body.ts';
import type { CanonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import type { Field } from '../../../src/protocols/http/request/fields/read-fields.ts';
import { detecting, fields } from './shown/support.ts';

const MASKS = {
  any: true,
  fields: fields({ '$.name': 'redact' }),
  detects: detecting(),
  elsewhere: false,
  headers: new Map(),
  hidden: [],
};

/** What is recorded of a body in these pieces. */
function recorded(headers: readonly Field[], ...pieces: readonly string[]): readonly string[] {
  const said: string[] = [];
  const guard = {
    body: (_: unknown, bytes: Uint8Array) => void said.push(Buffer.from(bytes).toString()),
    note: (text: string) => void said.push(text),
  };
  const record = new RecordedRequest(guard, {} as never, { headers } as CanonicalRequest, MASKS);
  for (const piece of pieces) record.add(Buffer.from(piece));
  record.close();
  return said;
}

const JSON_TYPE: Field = ['content-type', 'application/json'];

it('keeps of a request what is neither classified nor found', () => {
  expect(recorded([JSON_TYPE], '{"name":"Ann","to":"ann@exa', 'mple.com","n":1}').join('')).toBe(
    '{"name":"***","to":"***","n":1}',
  );
});

it.each<[what: string, headers: readonly Field[]]>([
  ['of another type', [['content-type', 'application/octet-stream']]],
  ['without a type', []],
  ['in a coding', [JSON_TYPE, ['content-encoding', 'gzip']]],
])('counts what is %s', (_, headers) => {
  expect(recorded(headers, 'ann@example.com')).toEqual(["15 more octets of the request's body"]);
});

it('keeps nothing from where it is not what it says', () => {
  expect(recorded([JSON_TYPE], '{"n":1,', '!ann@example.com')).toEqual([
    '{"n":1,',
    "16 more octets of the request's body",
  ]);
});
