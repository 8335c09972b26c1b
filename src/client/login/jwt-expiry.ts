/** What is written in a JWT; nothing where it cannot be read. The token is not checked: that is the gateway's work. */
export function claimsOf(jwt: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** `exp` of a JWT in ms since the epoch; 0 if there is none. */
export function expiryOf(jwt: string): number {
  const { exp } = claimsOf(jwt);
  return typeof exp === 'number' ? exp * 1000 : 0;
}
