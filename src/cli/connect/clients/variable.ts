/**
 * `API_PROD_URL` for `api-prod`: upper case, `_` for everything but letters and digits, and before a digit that would be
 * the first, because no shell could name it. Pure.
 */
export function variableOf(resource: string, what: 'URL' | 'TOKEN'): string {
  const name = resource.toUpperCase().replace(/[^A-Z0-9]/g, '_');
  return `${/^[0-9]/.test(name) ? '_' : ''}${name}_${what}`;
}
