import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** V8's own collector of garbage. Node offers it behind a flag; a context made while that is set has it all the same. */
export function garbageCollector(): NonNullable<typeof gc> {
  setFlagsFromString('--expose-gc');
  const collect: NonNullable<typeof gc> = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return collect;
}
