import type { TargetAddresses } from '../../stream/addresses.ts';
import type { OwnCertificate } from './own-certificate.ts';
import { Tickets } from './tickets.ts';

/** Where connections to a target lead to, and by whom it is trusted. */
export interface Place {
  readonly origin: string;
  /** As it is resolved: without the brackets of IPv6. */
  readonly host: string;
  /** As requests name it: with the port, unless that is the usual one. */
  readonly authority: string;
  readonly port: number;
  readonly secure: boolean;
  /** PEM; undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
  readonly addresses: TargetAddresses;
  readonly tickets: Tickets;
  /** As it is now: asked with each request. */
  readonly certificate: () => OwnCertificate | undefined;
}

/** @param origin As `URL` writes it. Pure. */
export function placeOf(
  origin: string,
  rest: Pick<Place, 'ca' | 'addresses'> & { readonly certificate?: () => OwnCertificate | undefined },
): Place {
  const { protocol, hostname, host: authority, port } = new URL(origin);
  const secure = protocol === 'https:';
  const usual = secure ? 443 : 80;
  return {
    origin,
    host: hostname.replace(/^\[|\]$/g, ''),
    authority,
    port: port === '' ? usual : Number(port),
    secure,
    ca: rest.ca,
    addresses: rest.addresses,
    tickets: new Tickets(),
    certificate: () => rest.certificate?.(),
  };
}
