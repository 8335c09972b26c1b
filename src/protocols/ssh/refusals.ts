import type { Refusal } from '../../enforcement/operation.ts';
import type { GeneralRule, RefusalRule } from '../../enforcement/refusals.ts';

/**
 * The words by which an SSH operation is refused, whatever policy permits. Part of the contract: what is here keeps its
 * meaning. `docs/refusals.md` is made from it.
 */
export const SSH_REFUSALS = {
  'command-unreadable': {
    means: 'A command holds NUL, is no text in UTF-8, or is too long to be read with certainty.',
    instead: 'Send a command of at most 128 KiB of text, and data on its standard input.',
    next: 'correct',
  },
  'path-unreadable': {
    means: 'A path holds NUL, is no text in UTF-8, or has more than 4,096 octets.',
    instead: 'Use another name for the file, by exec if need be.',
    next: 'correct',
  },
  'address-ambiguous': {
    means: 'Where a connection is to be forwarded to is no address, or one that programs read in two ways.',
    instead: 'Name a host, or an address as it is commonly written, and a port.',
    next: 'correct',
  },
  'listens-beyond-loopback': {
    means: 'The host is to listen where others reach it, and its resource has `session.listens: loopback`.',
    instead: 'Listen at `localhost`, as `ssh -R PORT:…` does.',
    next: 'correct',
  },
  'forwarding-not-carried': {
    means:
      'Agents, X11 and sockets of the file system are not forwarded, nor connections to the host where its resource has no `session.listens`.',
    instead: 'Do without: what the host is to reach it reaches with a login of its own.',
    next: 'leave-out',
  },
} as const satisfies Readonly<Record<string, RefusalRule>>;

type SshRule = keyof typeof SSH_REFUSALS;

/** A refusal in this protocol. */
export type SshRefusal = Refusal<SshRule | GeneralRule>;
