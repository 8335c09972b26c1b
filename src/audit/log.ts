import type { KeyObject } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { isHoopError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { chainFileId, lastLink } from '../storage/chain-files.ts';
import { lockDirectory } from '../storage/dir-lock.ts';
import { SegmentFile } from '../storage/segment-file.ts';
import { nextBoot } from './boot.ts';
import { ChainWriter, unavailable } from './chain-writer.ts';
import type { AuditLog } from './event.ts';
import type { SealKey } from './keys.ts';

export interface AuditLogOptions {
  /** Holds all chains of this gateway; made if missing (0700). */
  readonly dir: string;
  /** This gateway's name: letters, digits, `.`, `_`, `-`, at most 64. */
  readonly instance: string;
  /** One chain per writer: 0 … 9999, default 0. */
  readonly worker?: number;
  /** `process`: stored when it survives `kill -9`. `strict`: when it survives a power cut (fdatasync). */
  readonly durability: 'process' | 'strict';
  readonly sealKey: SealKey;
  /** Ed25519 private key. */
  readonly signingKey: KeyObject;
  readonly clock: Clock;
  readonly log: Log;
  /** A segment that has reached it gets no more lines. Octets, default 64 MiB. */
  readonly segmentBytes?: number;
  /** A checkpoint after so many events (default 1000), and so long after an event that has none yet (default 5000 ms). */
  readonly checkpointEvents?: number;
  readonly checkpointMs?: number;
}

/** What the gateway holds of its own chain. */
export interface ChainLog extends AuditLog {
  /** `instance/boot/worker`. */
  readonly chain: string;
  /** Raw Ed25519 public key, base64url: what an auditor pins with `verify`. */
  readonly publicKey: string;
  /** False from a failed write until a probe has been written. */
  readonly available: boolean;
}

const SEGMENT_BYTES = 64 * 1024 * 1024;

/**
 * Starts a new chain and gives its writer.
 *
 * Takes the directory for this process (`lockDirectory`), makes `<dir>/<chain>/000001.ndjson` (0600), and writes the
 * header, which names the last line of the same writer's chain before it, and a first checkpoint. An earlier chain's
 * torn tail is left as it is.
 *
 * @throws {HoopError} `ERR_CONFIG` another hoopd uses the directory, or the instance's name will not do;
 *   `ERR_AUDIT_UNAVAILABLE` it cannot be written.
 */
export async function openAuditLog(options: AuditLogOptions): Promise<ChainLog> {
  const worker = options.worker ?? 0;
  const lock = lockDirectory(options.dir, `writer-${worker}`);
  // Under a name that no reader takes for a chain, until its header is in it: there is no chain without one.
  const unnamed = join(options.dir, `.new-${worker}`);
  let files: SegmentFile | undefined;
  try {
    const last = lastLink(options.dir, worker);
    const boot = nextBoot(options.clock.now(), last?.boot);
    const chain = `${options.instance}/${boot}/${worker}`;
    const folder = join(options.dir, chainFileId(chain));
    rmSync(unnamed, { recursive: true, force: true });
    files = new SegmentFile(unnamed, options.segmentBytes ?? SEGMENT_BYTES);
    const writer = new ChainWriter(options, chain, files, lock);
    await writer.begin(last?.link);
    files.moveTo(folder);
    return writer;
  } catch (error) {
    files?.close();
    lock.release();
    throw isHoopError(error) ? error : unavailable(error);
  }
}
