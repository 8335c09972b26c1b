import type { Log } from '../../core/log.ts';
import type { Gateway } from '../running.ts';
import { type Loaded, type LoadedConfig, loadConfig } from './load.ts';
import { type SettledConfig, settledConfig, watchConfig } from './watch.ts';

/** Keeps a gateway under the configuration that its files hold. */
export interface Followed {
  /** Reads it now, whether anything has changed or not. Never throws. */
  reload(): void;
  close(): void;
}

/** Reads a configuration that will be followed. Never throws. */
export function readConfig(file: string, before?: LoadedConfig): SettledConfig<Loaded> {
  return settledConfig(() => loadConfig(file), before);
}

/**
 * From now on a change of any file of the configuration is in force a moment later, also one that was made since it was read;
 * one that is not valid changes nothing.
 *
 * @param known What its files held before it was read, as `readConfig` says.
 */
export function followConfig(
  file: string,
  loaded: LoadedConfig,
  known: string,
  gateway: Gateway,
  log: Log,
): Followed {
  let current = loaded;
  const reload = () => {
    const read = readConfig(file, current);
    const { next } = read;
    if (next.ok) current = next;
    void gateway.reload(next).then(() => {
      if (next.ok) watched.update(next, read.known);
    });
  };
  const watched = watchConfig(loaded, known, log, reload);
  return { reload, close: () => watched.close() };
}
