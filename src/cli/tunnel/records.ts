/**
 * What is on disk of tunnels in the background: of each a record, a socket to reach it by, and its log. No secret is among it.
 */
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ensurePrivateDir, readPrivateFile, writePrivateFile } from '../../client/store/private-files.ts';

/** One local end of a tunnel. */
interface RecordedEnd {
  readonly resource: string;
  readonly protocol: string;
  /** `127.0.0.1:41234`, or the path of a socket. */
  readonly address: string;
}

export interface TunnelRecord {
  readonly id: string;
  readonly gateway: string;
  readonly ends: readonly RecordedEnd[];
  /** For people: whether it lives is asked of its socket, since another process may have the number by now. */
  readonly pid: number;
  /** Where it runs: a directory may be shared with other machines. */
  readonly host: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** RFC 3339: nothing goes on longer. */
  readonly deadline: string;
  readonly run?: string;
  /** Absent while it is open. */
  readonly endedAt?: string;
  /** Why, in words. */
  readonly ended?: string;
}

const ID = /^[a-z2-7]{8}$/;
const MAX_FILE_BYTES = 256 * 1024;
/** How long what has ended can be looked at, ms; and how many of these. */
const KEEP_MS = 24 * 3_600_000;
const KEEP = 100;

/** Whether a text can be the id of a tunnel: eight letters and digits. Pure. */
export function isTunnelId(text: string): boolean {
  return ID.test(text);
}

/** Records of one user's tunnels, 0600 in a directory of their own (0700). */
export class TunnelRecords {
  readonly #directory: string;

  /** @param directory hoopctl's configuration directory; the files lie in `tunnels` below it. */
  constructor(directory: string) {
    this.#directory = join(directory, 'tunnels');
  }

  /** @throws {HoopError} `ERR_CONFIG` the directory is another's, or open to others. */
  async prepare(): Promise<void> {
    await ensurePrivateDir(this.#directory);
  }

  socketOf(id: string): string {
    return this.#path(id, 'sock');
  }

  logOf(id: string): string {
    return this.#path(id, 'log');
  }

  async write(record: TunnelRecord): Promise<void> {
    await writePrivateFile(this.#path(record.id, 'json'), JSON.stringify(record));
  }

  /**
   * All of them, the oldest first; what cannot be read was not written by us and is left out.
   *
   * @throws {HoopError} `ERR_CONFIG` one is open to others: whoever can write it could name another tunnel's address.
   */
  async list(): Promise<readonly TunnelRecord[]> {
    const names = await readdir(this.#directory).catch(() => []);
    const ids = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
    const found = await Promise.all(ids.filter(isTunnelId).map((id) => this.read(id)));
    return found
      .filter((record) => record !== undefined)
      .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  }

  /** What is on record of one now; undefined: nothing. */
  async read(id: string): Promise<TunnelRecord | undefined> {
    const bytes = await readPrivateFile(this.#path(id, 'json'), MAX_FILE_BYTES);
    try {
      const record = JSON.parse(bytes?.toString() ?? '') as TunnelRecord;
      return record.id === id && Array.isArray(record.ends) ? record : undefined;
    } catch {
      return undefined;
    }
  }

  /** Writes down that one has ended, and takes its socket away: in this order, so that no socket is missed without a reason. */
  async end(record: TunnelRecord, ended: string, nowMs: number): Promise<TunnelRecord> {
    const over = { ...record, endedAt: new Date(nowMs).toISOString(), ended };
    await this.write(over);
    await rm(this.socketOf(record.id), { force: true });
    return over;
  }

  /** Forgets what ended long ago. */
  async sweep(nowMs: number): Promise<void> {
    const over = (await this.list()).filter(({ endedAt }) => endedAt !== undefined).reverse();
    const old = over.filter(({ endedAt }, i) => i >= KEEP || Date.parse(endedAt!) < nowMs - KEEP_MS);
    for (const { id } of old)
      for (const end of ['json', 'log', 'log.1', 'sock']) await rm(this.#path(id, end), { force: true });
  }

  #path(id: string, kind: string): string {
    return join(this.#directory, `${id}.${kind}`);
  }
}

/** Whether a record's socket could be reached from here. */
export function isOfThisHost({ host }: TunnelRecord): boolean {
  return host === hostname();
}
