/**
 * Keys of instances that have asked ahead: a yes is for the instance that asked, and so the next process must be that
 * instance. A key alone opens nothing: each process needs a login beside it.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { PATHS } from '../../api/contract.ts';
import { HoopError } from '../../core/errors.ts';
import { demandId } from '../item-ids.ts';
import { ensurePrivateDir, readPrivateFile, writePrivateFile } from './private-files.ts';

export interface AskedAhead {
  /** `apr_…`. */
  readonly id: string;
  /** Of what was asked, where and as whom: the same again is asked with the same key. */
  readonly question: string;
  readonly key: JWK;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

const MAX_FILE_BYTES = 16 * 1024;
const NAME = /^apr_[0-9A-Z]{26}$/;

/** One file for each request, 0600, until the request is over. */
export class AskedAheadStore {
  readonly #directory: string;

  /** @param directory hoopctl's configuration directory; the files lie in `asked` below it. */
  constructor(directory: string) {
    this.#directory = join(directory, 'asked');
  }

  async keep(asked: AskedAhead): Promise<void> {
    await ensurePrivateDir(this.#directory);
    await writePrivateFile(this.#path(asked.id), JSON.stringify(asked));
  }

  /**
   * @param id Or its beginning, where no other that was asked from here has it.
   * @throws {HoopError} `ERR_USAGE` it is none, was not asked from here, or is over.
   */
  async demand(id: string, nowMs: number): Promise<AskedAhead> {
    demandId(PATHS.approvals, id);
    const [only, ...more] = (await this.#names()).filter((name) => name.startsWith(id));
    const asked = only !== undefined && more.length === 0 ? await this.#read(only) : undefined;
    if (asked !== undefined && asked.expiresAt > nowMs) return asked;
    throw new HoopError('ERR_USAGE', `${id} was not asked ahead from here, or its time is over`, {
      hint: 'only who asked with hoopctl approval request, on this machine, can use it: ask again',
    });
  }

  /** The newest that asked just this; what is over is removed. */
  async like(question: string, nowMs: number): Promise<AskedAhead | undefined> {
    let found: AskedAhead | undefined;
    for (const name of (await this.#names()).toSorted()) {
      const asked = await this.#read(name);
      if (asked === undefined || asked.expiresAt <= nowMs) await this.forget(name);
      else if (asked.question === question) found = asked;
    }
    return found;
  }

  async forget(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  async #names(): Promise<readonly string[]> {
    const names = await readdir(this.#directory).catch(() => []);
    return names.map((name) => name.replace(/\.json$/, '')).filter((name) => NAME.test(name));
  }

  /** What cannot be read was not written by us. */
  async #read(id: string): Promise<AskedAhead | undefined> {
    const bytes = await readPrivateFile(this.#path(id), MAX_FILE_BYTES);
    if (bytes === undefined) return undefined;
    try {
      return JSON.parse(bytes.toString()) as AskedAhead;
    } catch {
      return undefined;
    }
  }

  #path(id: string): string {
    return join(this.#directory, `${id}.json`);
  }
}
