import type { Socket } from 'node:net';
import type { Client } from 'ssh2';
import { BulkMemory } from '../../../core/bytes/bulk-memory.ts';
import type { Clock } from '../../../core/clock.ts';
import { HoopError, isHoopError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { readHostCertificate } from '../../../wire/ssh/certificate.ts';
import type { TargetAddresses } from '../../stream/addresses.ts';
import { destroyOn, dial, within } from '../../stream/dial.ts';
import type { SshCredential } from '../credentials/index.ts';
import type { LoginFor } from '../credentials/user-certificate.ts';
import { CERTIFICATE_ALGORITHMS, certificateFault } from './host-trust.ts';
import { scanHostKey } from './key-scan.ts';
import { loggedIn } from './logged-in.ts';

export interface SshTargetOptions {
  readonly port: number;
  /** Keys that are pinned: blobs. */
  readonly hostKeys: readonly Buffer[];
  /** Authorities: blobs. */
  readonly hostCa: readonly Buffer[];
  readonly addresses: TargetAddresses;
  readonly credential: SshCredential;
  readonly clock: Clock;
}

/** How long a key is believed that a certificate spoke for, ms: then the certificate is looked at again. */
const CERTIFIED_MS = 600_000;
/** Hosts whose keys are remembered. */
const MAX_HOSTS = 4096;

interface Certified {
  readonly key: Buffer;
  readonly untilMs: number;
}

/** The hosts of one resource. */
export class SshTarget {
  readonly #options: SshTargetOptions;
  readonly #certified = new Map<string, Certified>();
  readonly #bulk = new BulkMemory();

  constructor(options: SshTargetOptions) {
    this.#options = options;
  }

  /**
   * Connects to a host, makes sure that it is the one, and logs in.
   *
   * @param host As it is dialled.
   * @param who Whose session it is: a certificate names them.
   * @param signal Aborting it ends the connection with its reason, also later.
   * @returns A client that is ready. It has a silent `error` listener: `close` tells the end.
   * @throws {HoopError} `ERR_TARGET_UNREACHABLE` no connection, or no login within 10 s; `ERR_TARGET_IDENTITY` it is not the
   *   host that is configured; `ERR_TARGET_AUTH` it does not take the credential; `ERR_TARGET_CREDENTIAL` there is none;
   *   `ERR_TARGET_LOST` what it said is not SSH as it is spoken here; the signal's reason.
   */
  async open(host: string, who: LoginFor, signal: AbortSignal): Promise<Client> {
    const login = this.#options.credential(who);
    try {
      return await within(LIMITS.targetConnectMs, signal, async (deadline) => {
        const keys = await this.#keysOf(host, deadline);
        const socket = await this.#dial(host, deadline);
        destroyOn(signal, socket);
        return loggedIn(socket, { keys, login, signal: deadline, bulk: this.#bulk });
      });
    } catch (error) {
      // A host that has a new key has a new certificate too.
      if (isHoopError(error) && error.code === 'ERR_TARGET_IDENTITY') this.#certified.delete(host);
      throw error;
    }
  }

  /** Keys that the host may have: the pinned ones and, where an authority is named, the one that it speaks for. */
  async #keysOf(host: string, signal: AbortSignal): Promise<readonly Buffer[]> {
    const { hostKeys, hostCa } = this.#options;
    if (hostCa.length === 0) return hostKeys;
    const known = this.#certified.get(host);
    if (known !== undefined && known.untilMs > this.#options.clock.now()) return [...hostKeys, known.key];
    const certified = await this.#certifiedKey(host, signal);
    if (certified === undefined && hostKeys.length === 0)
      throw untrusted(`${host} shows no certificate of a host`);
    return certified === undefined ? hostKeys : [...hostKeys, certified];
  }

  async #certifiedKey(host: string, signal: AbortSignal): Promise<Buffer | undefined> {
    const blob = await scanHostKey(await this.#dial(host, signal), CERTIFICATE_ALGORITHMS);
    if (blob === undefined) return undefined;
    const certificate = certificateIn(blob);
    const nowMs = this.#options.clock.now();
    const fault = certificateFault(certificate, this.#options.hostCa, host, BigInt(Math.floor(nowMs / 1000)));
    if (fault !== undefined) throw untrusted(`${host}: its certificate is not good: ${fault}`);
    const endsMs = Number(certificate.validBefore) * 1000;
    if (this.#certified.size >= MAX_HOSTS) this.#certified.clear();
    this.#certified.set(host, { key: certificate.key, untilMs: Math.min(nowMs + CERTIFIED_MS, endsMs) });
    return certificate.key;
  }

  #dial(host: string, signal: AbortSignal): Promise<Socket> {
    const { addresses, port } = this.#options;
    // A literal address is looked up by nobody.
    if (addresses.refuses(host))
      throw new HoopError('ERR_TARGET_UNREACHABLE', undefined, {
        detail: `${host} is an address that is refused`,
      });
    return dial(host, port, signal, addresses.lookup);
  }
}

function certificateIn(blob: Buffer) {
  try {
    return readHostCertificate(blob);
  } catch (error) {
    throw untrusted(error instanceof Error ? error.message : String(error));
  }
}

/** @param detail For the operator. */
function untrusted(detail: string): HoopError {
  return new HoopError('ERR_TARGET_IDENTITY', undefined, { detail });
}
