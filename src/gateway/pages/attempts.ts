import { isIPv6 } from 'node:net';
import type { Clock } from '../../core/clock.ts';

/** In one span of time: of one address, and of all. */
const PER_ADDRESS = 60;
const TOTAL = 600;
const SPAN_MS = 60_000;

/** Bounds how often sign-ins are tried: each costs a question to the identity provider. */
export class SignInAttempts {
  readonly #clock: Clock;
  #perAddress = new Map<string, number>();
  #total = 0;
  #spanStart = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns Whether one more may be tried. At most `TOTAL` addresses are remembered. */
  spend(address: string): boolean {
    const now = this.#clock.now();
    // A clock that is set back must keep nobody out.
    if (now < this.#spanStart || now - this.#spanStart >= SPAN_MS) {
      this.#spanStart = now;
      this.#perAddress = new Map();
      this.#total = 0;
    }
    const network = networkOf(address);
    const own = this.#perAddress.get(network) ?? 0;
    if (own >= PER_ADDRESS || this.#total >= TOTAL) return false;
    this.#perAddress.set(network, own + 1);
    this.#total++;
    return true;
  }
}

/** One subscriber has a whole /64 of IPv6: its first four groups. */
function networkOf(address: string): string {
  return isIPv6(address) && !address.startsWith('::ffff:')
    ? address.split(':').slice(0, 4).join(':')
    : address;
}
