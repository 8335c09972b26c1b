import { describe, expect, test } from 'vitest';
import { scrubError } from '../../../src/protocols/postgres/scrub.ts';

const SECRET = '123-45-6789';

function scrub(fields: Record<string, string>): Record<string, string> {
  const report = { name: 'ErrorResponse', fields: Object.entries(fields) };
  return Object.fromEntries(scrubError(report).map(([code, value]) => [code, String(value)]));
}

describe('errors and notices lose what may quote a value', () => {
  test.each([
    [
      'a cast',
      { S: 'ERROR', V: 'ERROR', C: '22P02', M: `invalid input syntax for type integer: "${SECRET}"` },
    ],
    [
      'a unique key',
      { S: 'ERROR', V: 'ERROR', C: '23505', M: 'duplicate key value', D: `Key (ssn)=(${SECRET})` },
    ],
    [
      'a check',
      { S: 'ERROR', V: 'ERROR', C: '23514', M: 'violates check', D: `Failing row contains (1, ${SECRET})` },
    ],
    ['raise', { S: 'ERROR', V: 'ERROR', C: 'P0001', M: SECRET, D: SECRET, H: SECRET, W: SECRET }],
    [
      'raise with every field',
      { V: 'ERROR', C: '42P01', M: 'x', c: SECRET, t: SECRET, n: SECRET, d: SECRET, s: SECRET },
    ],
    [
      'json',
      { V: 'ERROR', C: '22P02', M: 'invalid input syntax for type json', W: `JSON data, line 1: ${SECRET}` },
    ],
    [
      'internal query',
      { V: 'ERROR', C: '42703', M: 'column "x" does not exist', q: `select ${SECRET}`, p: '3' },
    ],
    ['a notice', { S: 'NOTICE', V: 'NOTICE', C: '00000', M: SECRET }],
    ['a notice that calls itself an error class', { S: 'NOTICE', V: 'NOTICE', C: '42P01', M: SECRET }],
    ['a made-up code', { V: 'ERROR', C: '12345', M: 'x', H: SECRET }],
    ['a made-up severity', { S: SECRET, V: SECRET, C: '42601', M: 'x' }],
    ['a position that is none', { V: 'ERROR', C: '42601', M: 'x', P: SECRET }],
  ])('%s', (_, fields) => {
    expect(JSON.stringify(scrub(fields))).not.toContain(SECRET);
  });

  test('an SQLSTATE that PostgreSQL does not have is a channel of its own: replaced', () => {
    expect(scrub({ V: 'ERROR', C: 'A1B2C', M: 'x' })['C']).toBe('XX000');
  });

  test('what helps to correct a statement stays', () => {
    const error = {
      S: 'ERROR',
      V: 'ERROR',
      C: '42703',
      M: 'column "nam" does not exist',
      H: 'Perhaps you meant "name".',
      P: '8',
    };
    expect(scrub(error)).toEqual(error);
  });
});
