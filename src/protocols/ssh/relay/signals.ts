/** Signals by their names. @see RFC 4254 §6.10 */
export const SIGNALS: ReadonlySet<string> = new Set([
  ...['ABRT', 'ALRM', 'FPE', 'HUP', 'ILL', 'INT', 'KILL'],
  ...['PIPE', 'QUIT', 'SEGV', 'TERM', 'USR1', 'USR2'],
]);
