import type { SSH_REFUSALS } from '../../../../src/protocols/ssh/refusals.ts';
import { ssh } from '../programs.ts';
import type { Kind } from './kind.ts';

const by = ssh;

/** Of each rule by which something is refused on a host. */
export const SSH_KINDS: Readonly<Record<keyof typeof SSH_REFUSALS, Kind>> = {
  'command-unreadable': {
    by,
    refused: ['ssh', 'host', 'echo', 'a\ufffdb'],
    other: ['ssh', 'host', 'echo', 'short'],
    shows: 'short',
  },
  'path-unreadable': { never: 'sftp of OpenSSH shows the kind of a failure, and no word of it' },
  'address-ambiguous': {
    by,
    refused: ['ssh', '-W', '0x7f.1:22', 'host'],
    other: ['ssh', '-W', '127.0.0.1:{port}', 'host'],
    shows: /^SSH-2.0/,
  },
  'listens-beyond-loopback': {
    never: 'ssh goes on without a forwarding that is refused, and ends as what it runs ends',
  },
  'forwarding-not-carried': {
    never: 'ssh goes on without a forwarding that is refused, and ends as what it runs ends',
  },
};
