import { createHash } from 'node:crypto';
import { type FSWatcher, readdirSync, readFileSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../../core/log.ts';
import type { Loaded, LoadedConfig } from './load.ts';
import { authorityFiles, documentFiles, secretRefs } from './named.ts';

/** An editor or a mount writes several times; one reload is enough. */
const SETTLE_MS = 300;

export interface Watched {
  /** Looks elsewhere from now on. @param known What the files held before they were read, as `settledConfig` says. */
  update(loaded: LoadedConfig, known: string): void;
  close(): void;
}

/** A configuration, and what its files held before it was read: whatever was written since then is a change. */
export interface SettledConfig<Read> {
  readonly next: Read;
  readonly known: string;
}

/** Each round knows the files that the one before named; who names others each time is read as often, and no more. */
const ROUNDS = 3;

/**
 * Reads a configuration and knows what it was made of: what is written while it is read is neither missed nor taken for known.
 *
 * @param before Whose files it is likely made of; undefined: nobody knows yet.
 * @param read Never throws.
 */
export function settledConfig<Read extends Loaded>(
  read: () => Read,
  before: LoadedConfig | undefined,
): SettledConfig<Read> {
  let files = before === undefined ? [] : configFiles(before);
  for (let left = ROUNDS; ; left--) {
    const known = fingerprint(files);
    const next = read();
    const named = next.ok ? configFiles(next) : files;
    if (left === 1 || named.join('\0') === files.join('\0')) return { next, known };
    files = named;
  }
}

/** Every file whose content is part of the configuration in force. */
function configFiles({ file, config, protocols }: LoadedConfig): string[] {
  const { sealKey, formerSealKeys } = config.audit;
  const secrets = [sealKey, ...formerSealKeys, ...secretRefs(config, protocols).map(({ ref }) => ref)];
  const authorities = authorityFiles(config, protocols).map(({ file: path }) => path);
  const documents = documentFiles(config, protocols).map(({ file: path }) => path);
  const issuers = config.issuers.flatMap(({ caFile, directory }) => [caFile, directory]);
  return [
    file,
    config.tls.certFile,
    config.tls.keyFile,
    ...secrets.flatMap((ref) => ('file' in ref ? [ref.file] : [])),
    ...[...authorities, ...documents, ...issuers].filter((path) => path !== undefined),
    ...policyFiles(config.policies),
  ];
}

function policyFiles(dir: string): string[] {
  try {
    const names = readdirSync(dir).filter((name) => name.endsWith('.cedar'));
    return names.sort().map((name) => join(dir, name));
  } catch {
    return [];
  }
}

/**
 * Calls back when the content of a configuration file has changed, not when only its date has.
 *
 * @param before What its files held before it was read.
 *
 * Watches the directories rather than the files, so that a file replaced by rename or a remounted secret is seen.
 * Never throws: a directory that cannot be watched is logged, and SIGHUP still works.
 */
export function watchConfig(loaded: LoadedConfig, before: string, log: Log, changed: () => void): Watched {
  let watchers = new Map<string, FSWatcher>();
  let known = before;
  let current = loaded;
  let timer: NodeJS.Timeout | undefined;
  const settle = () => {
    timer = undefined;
    const now = fingerprint(configFiles(current));
    if (now === known) return;
    known = now;
    changed();
  };
  const stir = () => {
    clearTimeout(timer);
    timer = setTimeout(settle, SETTLE_MS);
    timer.unref();
  };
  const update = (next: LoadedConfig, asRead: string) => {
    current = next;
    const files = configFiles(next);
    known = asRead;
    const dirs = new Set([...files.map((path) => dirname(path)), next.config.policies]);
    for (const [dir, watcher] of watchers) if (!dirs.has(dir)) watcher.close();
    watchers = new Map([...dirs].flatMap((dir) => open(dir, watchers.get(dir), log, stir)));
    // What was written before it was watched, or while it was read, stirs nothing.
    stir();
  };
  update(loaded, before);
  return {
    update,
    close: () => {
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

function open(
  dir: string,
  existing: FSWatcher | undefined,
  log: Log,
  stir: () => void,
): [string, FSWatcher][] {
  if (existing !== undefined) return [[dir, existing]];
  try {
    const watcher = watch(dir, { persistent: false }, stir);
    watcher.on('error', () => log.warn('a directory is no longer watched: reload with SIGHUP', { dir }));
    return [[dir, watcher]];
  } catch {
    log.warn('a directory cannot be watched: reload with SIGHUP', { dir });
    return [];
  }
}

function fingerprint(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of files) {
    hash.update(`\0${path}\0`);
    try {
      hash.update(readFileSync(path));
    } catch {
      hash.update('unreadable');
    }
  }
  return hash.digest('base64');
}
