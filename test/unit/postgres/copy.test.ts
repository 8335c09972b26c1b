import { describe, expect, it } from 'vitest';
import { DetectorSet } from '../../../src/masking/detectors/index.ts';
import { maskFindings } from '../../../src/masking/mask-findings.ts';
import { CopyMasker } from '../../../src/protocols/postgres/shown/copy.ts';
import type { CellDetector } from '../../../src/protocols/postgres/shown/rows.ts';
import { WireTypes } from '../../../src/protocols/postgres/shown/values/wire-types.ts';
import type { CopyOptions } from '../../../src/protocols/postgres/sql/facts/facts.ts';
import { CopyData } from '../../../src/wire/postgres/copy.ts';

const detectors = new DetectorSet();
const detector: CellDetector = {
  nextRecord: () => undefined,
  attends: () => true,
  suspects: (bytes, start, end, shape) => detectors.suspects(bytes, start, end, shape),
  detect: (value, shape) => maskFindings(value, detectors.scan(value, shape), () => 'redact', shape),
};
const TYPES = new WireTypes(new Map([[1009, { name: '_text', kind: 'a', of: 25, delimiter: ',' }]]));
const TEXT: CopyOptions = {
  format: 'text',
  delimiter: '\t',
  null: '\\N',
  quote: '',
  escape: '',
  header: false,
};
const CSV: CopyOptions = { format: 'csv', delimiter: ',', null: '', quote: '"', escape: '"', header: false };
const BINARY: CopyOptions = { ...TEXT, format: 'binary', delimiter: '' };
const [INT8, TEXT_OID, JSONB, TEXTS] = [20, 25, 3802, 1009];

/** All that is sent, however the data is cut. */
function copied(data: Buffer, options: CopyOptions, types?: readonly number[]): Buffer {
  const run = (pieces: readonly Buffer[]) => {
    const plan = { direction: 'out' as const, options, ...(types === undefined ? {} : { types }) };
    const masker = new CopyMasker(plan, TYPES, detector);
    const body = (bytes: Buffer) => CopyData.decode(bytes.subarray(5)).data;
    const out = pieces.map((piece) => {
      const { piece: sent } = masker.take(piece) ?? {};
      return sent === undefined ? piece : body(sent.chunk.subarray(sent.start, sent.end));
    });
    const rest = masker.rest()?.piece;
    return Buffer.concat(
      rest === undefined ? out : [...out, body(rest.chunk.subarray(rest.start, rest.end))],
    );
  };
  const whole = run([data]);
  for (let at = 0; at <= data.length; at++)
    expect(run([data.subarray(0, at), data.subarray(at)])).toEqual(whole);
  expect(run(Array.from(data, (octet) => Buffer.from([octet])))).toEqual(whole);
  return whole;
}

const text = (data: string, options: CopyOptions, types?: readonly number[]) =>
  copied(Buffer.from(data), options, types).toString();

describe('text', () => {
  it.each([
    ['1\tann@example.com\tx\n', undefined, '1\t***\tx\n'],
    ['1\t2\n3\t\\N\n', undefined, '1\t2\n3\t\\N\n'],
    ['\t\tann@example.com', undefined, '\t\t***'],
    ['411111111111\t1111\n', undefined, '411111111111\t1111\n'],
    ['4111111111111111\t0.5227687358856201\n', undefined, '\\N\t0.5227687358856201\n'],
    ['4111111111111111\tx\n', [INT8, TEXT_OID], '\\N\tx\n'],
    ['a\\tb\\\\ ann@example.com\\nnext\n', [TEXT_OID], 'a\\tb\\\\ ***\\nnext\n'],
    [
      '{"a": "say \\\\"hi\\\\" to ann@example.com", "n": [4111111111111111]}\n',
      [JSONB],
      '{"a": "say \\\\"hi\\\\" to ***", "n": [null]}\n',
    ],
    ['{"a": "ann@example.com"}\t{x,ann@example.com}\n', undefined, '{"a": "***"}\t{x,"***"}\n'],
    ['{"a b",ann@example.com}\n', [TEXTS], '{"a b","***"}\n'],
    ['\\\\x616e6e406578616d706c652e636f6d\n', undefined, '\\N\n'],
    ['ann\\x40example.com\n', [TEXT_OID], '***\n'],
  ] as const)('%j of types %j: %j', (data, types, result) => expect(text(data, TEXT, types)).toBe(result));

  it('with a delimiter, a word for NULL and a header of its own', () => {
    const options = { ...TEXT, delimiter: '|', null: 'nil', header: true };
    expect(text('a@b.cc|n\n4111111111111111|x\\|ann@example.com\nnil|y\n', options)).toBe(
      'a@b.cc|n\nnil|x\\|***\nnil|y\n',
    );
  });
});

describe('csv', () => {
  it.each([
    ['1,ann@example.com,x\n', undefined, '1,"***",x\n'],
    ['"line\none, ann@example.com","q ""x"" "\n', undefined, '"line\none, ***","q ""x"" "\n'],
    ['4111111111111111,""\n', undefined, ',""\n'],
    [
      '"{""a"": ""ann@example.com"", ""n"": 4111111111111111}"\n',
      [JSONB],
      '"{""a"": ""***"", ""n"": null}"\n',
    ],
    [',\n', undefined, ',\n'],
  ] as const)('%j of types %j: %j', (data, types, result) => expect(text(data, CSV, types)).toBe(result));

  it('with quotes, escapes and a header of its own', () => {
    const options = { ...CSV, delimiter: ';', quote: "'", escape: '\\', null: 'NIL', header: true };
    expect(text("h@h.hh;b\n'it\\'s; ann@example.com';NIL\n4111111111111111;'\\\\'\n", options)).toBe(
      "h@h.hh;b\n'it\\'s; ***';NIL\nNIL;'\\\\'\n",
    );
  });
});

describe('binary', () => {
  const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
  const int = (value: number, octets: number) => {
    const bytes = Buffer.alloc(octets);
    bytes.writeIntBE(value, 0, octets);
    return bytes;
  };
  const row = (...fields: (Buffer | null)[]) =>
    Buffer.concat([
      int(fields.length, 2),
      ...fields.map((one) => (one === null ? int(-1, 4) : Buffer.concat([int(one.length, 4), one]))),
    ]);
  const card = Buffer.alloc(8);
  card.writeBigInt64BE(4111111111111111n);
  const end = int(-1, 2);

  it('is looked at by the types of its columns', () => {
    const data = [header, row(card, Buffer.from('to ann@example.com')), row(null, Buffer.from('x')), end];
    const after = [header, row(null, Buffer.from('to ***')), row(null, Buffer.from('x')), end];
    expect(copied(Buffer.concat(data), BINARY, [INT8, TEXT_OID])).toEqual(Buffer.concat(after));
  });

  it('shows nothing of rows that are not of as many columns, and refuses what does not fit', () => {
    expect(copied(Buffer.concat([header, row(card, card), end]), BINARY, [INT8])).toEqual(
      Buffer.concat([header, row(null, null), end]),
    );
    const masker = new CopyMasker({ direction: 'out', options: BINARY, types: [INT8] }, TYPES, detector);
    expect(() => masker.take(Buffer.concat([header, int(1, 2), int(-2, 4)]))).toThrowError(
      expect.objectContaining({ code: 'ERR_PROTOCOL' }),
    );
  });
});

it('a COPY whose form is not understood is not looked through', () => {
  expect(() => new CopyMasker({ direction: 'out', options: undefined }, TYPES, detector)).toThrowError(
    expect.objectContaining({ code: 'ERR_SESSION_ENDED' }),
  );
});
