import { describe, expect, it } from 'vitest';
import { readRange, targetAddresses } from '../../../src/protocols/stream/addresses.ts';

const REFUSED = [
  '0.0.0.0',
  '0.1.2.3',
  '169.254.169.254',
  '169.254.0.1',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '224.0.0.1',
  '239.255.255.250',
  '255.255.255.255',
  '::',
  'fe80::1',
  'febf::1',
  'ff02::1',
  'fd00:ec2::254',
  'fd20:ce::254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '::ffff:224.0.0.1',
  '::169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '2002:a9fe:a9fe::1',
];
const TAKEN = [
  '127.0.0.1',
  '::1',
  '10.0.0.1',
  '100.100.100.201',
  '169.253.255.255',
  '169.255.0.1',
  '64:ff9b::1.2.3.4',
];

describe('addresses of a target', () => {
  const addresses = targetAddresses([]);
  it.each(REFUSED)('%s is refused', (address) => expect(addresses.refuses(address)).toBe(true));
  it.each([...TAKEN, 'api.internal'])('%s is not', (address) =>
    expect(addresses.refuses(address)).toBe(false),
  );

  it('takes what the configuration allows, in the IPv6 that carries it as well, and nothing beside it', () => {
    const some = targetAddresses(['169.254.169.0/24', 'fe80::5/128']);
    expect(some.refuses('169.254.169.254')).toBe(false);
    expect(some.refuses('::ffff:169.254.169.254')).toBe(false);
    expect(some.refuses('fe80::5')).toBe(false);
    expect(some.refuses('169.254.170.2')).toBe(true);
    expect(some.refuses('fe80::6')).toBe(true);
  });

  it('looks a name up once, and says nothing of what is refused', async () => {
    const found = (lookup: typeof addresses.lookup, all: boolean) =>
      new Promise((resolve, reject) => {
        lookup('169.254.169.254', { all }, (error, address) =>
          error === null ? resolve(address) : reject(error),
        );
      });
    await expect(found(addresses.lookup, true)).rejects.toThrow('refused');
    await expect(found(addresses.lookup, false)).rejects.toThrow('refused');
    const allowed = targetAddresses(['169.254.169.254/32']).lookup;
    expect(await found(allowed, true)).toEqual([{ address: '169.254.169.254', family: 4 }]);
    expect(await found(allowed, false)).toBe('169.254.169.254');
  });
});

describe('a range', () => {
  it.each([
    ['169.254.0.0/16', '169.254.0.0/16'],
    ['169.254.169.254', '169.254.169.254/32'],
    ['fe80::1', 'fe80::1/128'],
    ['fe80::/10', 'fe80::/10'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['169.254.0.0/33', undefined],
    ['fe80::/129', undefined],
    ['169.254.0.0/', undefined],
    ['169.254.0.0/-1', undefined],
    ['169.254.0.0/8/8', undefined],
    ['169.254.0/16', undefined],
    ['fe80::1%eth0', undefined],
    ['metadata.google.internal', undefined],
    ['', undefined],
  ])('%s → %s', (text, range) => expect(readRange(text)).toBe(range));
});
