import type { Log } from '../../core/log.ts';
import type { Gateway } from '../running.ts';
import { type LoadedConfig, loadConfig } from './load.ts';
import { watchConfig } from './watch.ts';

/** Keeps a gateway under the configuration that its files hold. */
export interface Followed {
  /** Reads it now, whether anything has changed or not. Never throws. */
  reload(): void;
  close(): void;
}

/** From now on a change of any file of the configuration is in force a moment later; one that is not valid changes nothing. */
export function followConfig(file: string, loaded: LoadedConfig, gateway: Gateway, log: Log): Followed {
  const reload = () => {
    const next = loadConfig(file);
    void gateway.reload(next).then(() => {
      if (next.ok) watched.update(next);
    });
  };
  const watched = watchConfig(loaded, log, reload);
  return { reload, close: () => watched.close() };
}
