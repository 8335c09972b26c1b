import type { Secret } from '../../../core/secret.ts';
import type { HttpCredential, Shown } from './credential.ts';

/** Asked at each request, so that a rotated secret is used at once. */
export type Ask = () => Secret;

const NONE: Shown = { headers: [] };

/** Of a resource that asks for none. */
export const noCredential: HttpCredential = {
  rules: { credentialHeaders: [] },
  signsBody: false,
  show: () => NONE,
  refused: () => undefined,
  secrets: () => [],
};

/** @see RFC 6750 §2.1 */
export function bearerCredential(token: Ask): HttpCredential {
  return {
    ...noCredential,
    show: () => ({ headers: [['authorization', `Bearer ${token().expose()}`]] }),
    secrets: () => [token().expose()],
  };
}

/** @see RFC 7617 */
export function basicCredential(user: string, password: Ask): HttpCredential {
  const encoded = () => Buffer.from(`${user}:${password().expose()}`).toString('base64');
  return {
    ...noCredential,
    show: () => ({ headers: [['authorization', `Basic ${encoded()}`]] }),
    secrets: () => [password().expose(), encoded()],
  };
}

export function headerCredential(name: string, value: Ask): HttpCredential {
  const field = name.toLowerCase();
  return {
    ...noCredential,
    rules: { credentialHeaders: [field] },
    show: () => ({ headers: [[field, value().expose()]] }),
    secrets: () => [value().expose()],
  };
}

export function queryCredential(name: string, value: Ask): HttpCredential {
  return {
    ...noCredential,
    rules: { credentialHeaders: [], credentialParameter: name },
    show: () => ({ headers: [], parameter: `${name}=${encodeURIComponent(value().expose())}` }),
    secrets: () => [value().expose()],
  };
}
