/** The directory of the host that attacks are after, and what it looks like. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What stands in files that no client may read. */
export const SECRET = 'the-secret-of-the-host-4f1c';

/**
 * `log/app` and `data/` may be read where policy says so; `secret/shadow` holds the secret, `link`, `data/out` and `data/up` lead
 * there, and `victim` is to be there still.
 */
export class Place {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'hoop-place-')));
  /** Where clients put what they fetch: that changes nothing here. rsync replaces a file, so it is never a device. */
  readonly away = mkdtempSync(join(tmpdir(), 'hoop-away-'));

  at(name: string): string {
    return join(this.path, name);
  }

  text(name: string): string {
    return readFileSync(this.at(name), 'utf8');
  }

  reset(): void {
    for (const name of readdirSync(this.path)) rmSync(this.at(name), { recursive: true, force: true });
    for (const name of ['log', 'data/sub', 'secret', 'drop']) mkdirSync(this.at(name), { recursive: true });
    this.write('victim', 'here');
    this.write('log/app', 'started\n');
    this.write('data/report', 'figures\n');
    this.write('data/sub/more', 'more\n');
    this.write('drop/box', `dropped ${SECRET}\n`);
    this.write('secret/shadow', `${SECRET}\n`);
    chmodSync(this.at('secret/shadow'), 0o600);
    symlinkSync(this.at('secret/shadow'), this.at('data/out'));
    symlinkSync('../secret', this.at('data/up'));
  }

  write(name: string, text: string): void {
    writeFileSync(this.at(name), text);
  }

  /** All that there is: kinds, modes, owners and contents. */
  state(): string {
    const names = readdirSync(this.path, { recursive: true, encoding: 'utf8' }).toSorted();
    return names.map((name) => `${name} ${this.#one(name)}`).join('\n');
  }

  #one(name: string): string {
    const path = this.at(name);
    const { mode, uid, size, mtimeMs, nlink } = lstatSync(path);
    const kind = mode.toString(8);
    if (kind.startsWith('12')) return `${kind} -> ${readlinkSync(path)}`;
    if (!kind.startsWith('10')) return kind;
    const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
    return `${kind} ${uid} ${size} ${mtimeMs} ${nlink} ${hash}`;
  }

  remove(): void {
    for (const path of [this.path, this.away]) rmSync(path, { recursive: true, force: true });
  }
}
