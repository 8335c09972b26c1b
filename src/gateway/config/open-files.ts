import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Mistake } from '../../core/config/mistake.ts';
import { dotted } from '../../core/config/mistakes-from-zod.ts';
import type { LoadedConfig } from './load.ts';
import { secretRefs } from './named.ts';

/** Read permission for everybody. A group's is common: containers are given their secrets by one. */
const READ_BY_ALL = 0o004;

/**
 * Secret files that every user of the machine may read, as warnings: what is mounted into a container often is so, and a
 * refusal would end a gateway that serves.
 *
 * Effects: looks at the files' modes. Never throws.
 */
export function openFiles({ config, protocols, file, locate }: LoadedConfig): readonly Mistake[] {
  const named = secretRefs(config, protocols).flatMap(({ path, ref }) =>
    'file' in ref ? [{ path, secret: ref.file }] : [],
  );
  return [{ path: ['tls', 'keyFile'], secret: config.tls.keyFile }, ...named]
    .filter(({ secret }) => ((statSync(secret, { throwIfNoEntry: false })?.mode ?? 0) & READ_BY_ALL) !== 0)
    .map(({ path, secret }) => ({
      file: basename(file),
      ...locate(path),
      path: dotted(path),
      problem: `${secret} may be read by every user of this machine`,
      cure: `run chmod 600 ${secret}`,
    }));
}
