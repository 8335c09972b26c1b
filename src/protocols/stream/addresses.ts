import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * Where no target is by right: this host under the names of none, neighbours on the link, many at once, and what clouds
 * tell a machine its own secrets under. IPv4 is met in the IPv6 that carries it as well (mapped ones by `BlockList`).
 */
const OF_THE_MACHINE: readonly string[] = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  '::/128',
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  // 169.254.0.0/16 as IPv4-compatible, by NAT64 and by 6to4.
  '::a9fe:0/112',
  '64:ff9b::a9fe:0/112',
  '2002:a9fe::/32',
];

/** Addresses under which a target may be. */
export interface TargetAddresses {
  /** False for what is no address. Pure. */
  refuses(address: string): boolean;
  /** Resolves a name once, for the connection that is made: what was looked at is what is dialled. */
  readonly lookup: LookupFunction;
}

/** @param allowed Ranges that are allowed although they are the machine's own, as `readRange` takes them. */
export function targetAddresses(allowed: readonly string[]): TargetAddresses {
  const barred = listOf(OF_THE_MACHINE);
  const open = listOf(allowed);
  const refuses = (address: string) => {
    const family = isIP(address);
    const kind = family === 4 ? 'ipv4' : 'ipv6';
    return family !== 0 && barred.check(address, kind) && !open.check(address, kind);
  };
  return {
    refuses,
    lookup: (host, options, callback) => {
      lookup(host, { ...options, all: true }, (error, addresses: LookupAddress[] = []) => {
        const good = addresses.filter(({ address }) => !refuses(address));
        const [first] = good;
        if (error !== null) callback(error, '', 0);
        else if (first === undefined)
          callback(new Error('the name leads to an address that is refused'), '', 0);
        else if (options.all === true) callback(null, good);
        else callback(null, first.address, first.family);
      });
    },
  };
}

/** @returns An address or a range as it was written; undefined if it is none. Pure. */
export function readRange(text: string): string | undefined {
  const [address = '', bits, more] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (more !== undefined || address.includes('%') || most === -1) return undefined;
  if (bits === undefined) return `${address}/${most}`;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= most ? text : undefined;
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
