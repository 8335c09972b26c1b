import { describe, expect, test } from 'vitest';
import { withoutConstants } from '../../../src/protocols/postgres/shown/definition-text.ts';

const NAMED = new Set(['customers', 'odd "na\'me', 'find']);

function shown(text: string): string | undefined {
  const found = withoutConstants(Buffer.from(text), NAMED);
  return found && Buffer.from(found).toString();
}

/** As the server writes them; with `***` where a constant stood. */
const SPEAKING: readonly (readonly [string, string])[] = [
  [
    " SELECT id\n   FROM customers\n  WHERE ssn = '123'::text;",
    " SELECT id\n   FROM customers\n  WHERE ssn = '***'::text;",
  ],
  ["FROM app.customers c(a, b) WHERE c.b = 'it''s'", "FROM app.customers c(a, b) WHERE c.b = '***'"],
  [`FROM "odd ""na'me" WHERE a = 'x'`, `FROM "odd ""na'me" WHERE a = '***'`],
  ["SELECT find('123') AS find", "SELECT find('***') AS find"],
  [
    "FROM customers WHERE n > 4111 AND m < 1.5e10 AND o = '-5'::integer",
    "FROM customers WHERE n > '***' AND m < '***' AND o = '***'::integer",
  ],
  [`FROM customers WHERE "it's" = 'a' AND b2 = 'b'`, `FROM customers WHERE "it's" = '***' AND b2 = '***'`],
  [`FROM customers WHERE a = E'x\\'y' AND b = 'z'`, `FROM customers WHERE a = '***' AND b = '***'`],
  ["FROM customers WHERE bits = B'101' AND é = 'ü'", "FROM customers WHERE bits = B'***' AND é = '***'"],
  [
    "CREATE RULE r AS ON UPDATE TO public.customers DO ALSO NOTIFY r, '123';",
    "CREATE RULE r AS ON UPDATE TO public.customers DO ALSO NOTIFY r, '***';",
  ],
];

describe('a definition', () => {
  test.each(SPEAKING)('that speaks of what is masked has no constants: %s', (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test.each([
    "SELECT id FROM orders WHERE status = 'new' AND n < 42",
    "SELECT 'customers' AS kind FROM orders",
    'SELECT customers2 FROM "Customers"',
    '',
  ])('that does not is as it was: %s', (text) => {
    const octets = Buffer.from(text);
    expect(withoutConstants(octets, NAMED)).toBe(octets);
  });

  test.each([
    "SELECT 'open FROM customers",
    'SELECT "open FROM orders',
    `SELECT 1 FROM customers WHERE a = '${'x'.repeat(2 ** 20)}'`,
  ])('that cannot be read is none', (text) => expect(shown(text)).toBeUndefined());
});
