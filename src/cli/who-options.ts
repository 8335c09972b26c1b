/**
 * Options that name an instance or a run: what can be the name of none would find nothing, and nobody would say why.
 */
import { HoopError } from '../core/errors.ts';

const INSTANCE = /^ins_[0-9A-Z]{26}$/;
/** An id of ours that is not a run's. What an issuer attests may be called anything else. */
const OF_OTHER_KIND = /^(?:ses|evt|apr|op|lgn|rev|ins)_[0-9A-Z]{26}$/;

/** @param name Of the option. @throws {HoopError} `ERR_USAGE` its value is the name of none. */
export function demandWho(name: string, value: string): void {
  if (name === 'instance') demandInstance(value);
  if (name === 'run') demandRun(value);
}

function demandInstance(value: string): void {
  if (INSTANCE.test(value)) return;
  throw new HoopError(
    'ERR_USAGE',
    `--instance "${value.slice(0, 200)}" is no instance: ins_ and 26 characters`,
    { hint: 'hoopctl session list and hoopctl whoami say which there are' },
  );
}

function demandRun(value: string): void {
  if (!OF_OTHER_KIND.test(value)) return;
  throw new HoopError('ERR_USAGE', `--run "${value}" is no name of a run, but of something else`, {
    hint: 'hoopctl session list says which there are',
  });
}
