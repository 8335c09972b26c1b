import type { KeyObject } from 'node:crypto';
import type { ParsedKey } from 'ssh2';
import type { Secret } from '../../../core/secret.ts';

/** How hoopd shows a host that it is who it is. */
export type SshLogin = { readonly user: string } & (
  | { readonly kind: 'key'; readonly key: ParsedKey }
  | { readonly kind: 'password'; readonly password: Secret }
  | { readonly kind: 'certificate'; readonly key: KeyObject; readonly certificate: Buffer }
);
