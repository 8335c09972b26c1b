import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Link-local addresses, and those under which clouds tell a machine its own secrets. */
const OF_THE_MACHINE = new BlockList();
OF_THE_MACHINE.addSubnet('169.254.0.0', 16, 'ipv4');
OF_THE_MACHINE.addAddress('100.100.100.200', 'ipv4');
OF_THE_MACHINE.addSubnet('fe80::', 10, 'ipv6');
OF_THE_MACHINE.addAddress('fd00:ec2::254', 'ipv6');

/** Whether a target must not be there. Pure. */
export function isOfTheMachine(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  return OF_THE_MACHINE.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Resolves a name once, for the connection that is made: what was looked at is what is dialled. */
export const lookupTarget: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, addresses: LookupAddress[] = []) => {
    const good = addresses.filter(({ address }) => !isOfTheMachine(address));
    const [first] = good;
    if (error !== null) callback(error, '', 0);
    else if (first === undefined) callback(new Error('the name leads to an address that is refused'), '', 0);
    else if (options.all === true) callback(null, good);
    else callback(null, first.address, first.family);
  });
};
