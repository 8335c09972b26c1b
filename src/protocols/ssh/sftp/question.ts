import { createHash } from 'node:crypto';
import type { Pair, PolicyObject, PolicyValue } from '../../../policy/model.ts';
import { type CleanText, forPeople } from '../../stream/for-people.ts';
import { pathOf } from '../entities.ts';
import type { SshRefusal } from '../refusals.ts';

/** One thing that a client asks of files, as the channel asks the guard. */
export interface SftpAsk {
  readonly pairs: readonly Pair[];
  readonly context: Readonly<Record<string, PolicyValue>>;
  /** Masked, for people. */
  readonly text: string;
  /** As it was asked. */
  readonly original: Readonly<Record<string, string>>;
  /** The same only for the very same. */
  readonly exact: string;
  readonly refusal?: SshRefusal;
}

/** What is asked of which files. */
export interface Wanted {
  readonly what: string;
  readonly rest: Buffer;
  /** Canonical, each with what is done to it. */
  readonly paths: readonly { readonly path: string; readonly verbs: readonly string[] }[];
}

const CONTEXT: SftpAsk['context'] = {
  terminal: false,
  env: [],
  envNames: [],
  signal: '',
  tool: 'sftp',
  recursive: false,
  removes: false,
};

/** Pure. @param clean As `DetectedValues.cleanText`: takes out of a text what nobody is to read in the audit. */
export function questionOf(host: PolicyObject, wanted: Wanted, clean: CleanText): SftpAsk {
  const { what, paths, rest } = wanted;
  const names = paths.map(({ path }) => path);
  return {
    pairs: paths.flatMap(({ path, verbs }) => {
      const object = pathOf(host, path, clean);
      return verbs.map((action) => ({ action, object }));
    }),
    context: CONTEXT,
    text: forPeople(`sftp ${what} ${names.join(' ')}`, clean),
    original: { sftp: [what, ...names].join('\n') },
    exact: createHash('sha256')
      .update(JSON.stringify([what, names, rest.toString('hex')]))
      .digest('hex'),
  };
}

/** A path that cannot be named is refused, whatever policy permits. Pure. */
export function refusedQuestion(what: string): SftpAsk {
  return {
    pairs: [],
    context: CONTEXT,
    text: `sftp ${what} ‹path›`,
    original: { sftp: what },
    exact: '',
    refusal: {
      code: 'ERR_SYNTAX',
      rule: 'path-unreadable',
      reason: 'a path in it cannot be read with certainty',
      hint: 'use a path of at most 4,096 octets of UTF-8 without NUL',
    },
  };
}
