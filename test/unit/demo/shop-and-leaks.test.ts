import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteTap, countLeaks } from '../../../src/demo/leaks.ts';
import { makeShop } from '../../../src/demo/shop.ts';

describe('the shop', () => {
  it('is the same at every start', () => {
    expect(makeShop()).toEqual(makeShop());
  });

  it('plants values that are long enough not to be found by chance, and all of them in its SQL', () => {
    const { secrets, statements } = makeShop();
    const sql = statements.join('\n');
    expect(secrets.length).toBeGreaterThan(600);
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThanOrEqual(11);
      expect(sql).toContain(secret);
    }
  });

  it('has cards that pass Luhn, also those written with spaces inside notes', () => {
    const luhn = (digits: string) =>
      [...digits].reverse().reduce((sum, char, i) => {
        const doubled = Number(char) * (i % 2 === 1 ? 2 : 1);
        return sum + (doubled > 9 ? doubled - 9 : doubled);
      }, 0) % 10;
    const cards = makeShop()
      .secrets.map((secret) => secret.replaceAll(' ', ''))
      .filter((secret) => /^\d{16}$/.test(secret));
    expect(cards.length).toBeGreaterThan(280);
    for (const card of cards) expect(luhn(card)).toBe(0);
  });
});

describe('the leak counter', () => {
  const secret = '123-45-6789';

  it.each([
    ['plain', secret],
    ['reversed', '9876-54-321'],
    ['hex', '3132332d34352d36373839'],
    ['HEX', '3132332D34352D36373839'],
    ['base64', 'MTIzLTQ1LTY3ODk='],
  ])('finds a value in its %s form', (_form, text) => {
    expect(countLeaks(Buffer.from(`x${text}y`), [secret])).toBe(1);
  });

  it('finds a value inside base64 of something longer, at any alignment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 9 }), (before, after) => {
        const text = Buffer.concat([before, Buffer.from(secret), after]).toString('base64');
        expect(countLeaks(Buffer.from(text), [secret])).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('finds nothing in masked text, and counts every occurrence otherwise', () => {
    expect(countLeaks(Buffer.from('***-**-6789'), [secret])).toBe(0);
    expect(countLeaks(Buffer.from(`${secret},${secret}`), [secret])).toBe(2);
  });

  it('taps a stream without taking its bytes from others, across chunks', async () => {
    const stream = new PassThrough();
    const tap = new ByteTap();
    tap.attach(stream);
    let seen = '';
    stream.on('data', (chunk) => {
      seen += chunk;
    });
    stream.write('123-45');
    stream.end('-6789');
    await new Promise((resolve) => stream.once('end', resolve));
    expect(seen).toBe(secret);
    expect(countLeaks(tap.bytes(), [secret])).toBe(1);
  });
});
