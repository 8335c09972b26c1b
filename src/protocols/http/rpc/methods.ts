/** Methods that a client has for a server, in all versions that are carried, tasks included. */
const OF_CLIENTS: ReadonlySet<string> = new Set([
  'completion/complete',
  'initialize',
  'logging/setLevel',
  'notifications/cancelled',
  'notifications/initialized',
  'notifications/progress',
  'notifications/roots/list_changed',
  'notifications/tasks/status',
  'ping',
  'prompts/get',
  'prompts/list',
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'resources/templates/list',
  'resources/unsubscribe',
  'server/discover',
  'subscriptions/listen',
  'tasks/cancel',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tasks/update',
  'tools/call',
  'tools/list',
]);

/** What a server may ask of its client; anything else is not shown. */
const OF_SERVERS: ReadonlySet<string> = new Set([
  'elicitation/create',
  'ping',
  'roots/list',
  'sampling/createMessage',
  'tasks/cancel',
  'tasks/get',
  'tasks/list',
  'tasks/result',
]);

/** Letters have their case: a server that ignores it would do what nobody was asked for. */
export function isClientMethod(name: string): boolean {
  return OF_CLIENTS.has(name);
}

export function isServerMethod(name: string): boolean {
  return OF_SERVERS.has(name);
}

/** The first version without sessions and handshake. */
const STATELESS = '2026-07-28';
/** Versions over streamable HTTP that are carried. @see https://modelcontextprotocol.io/specification/versioning */
const VERSIONS = ['2025-03-26', '2025-06-18', '2025-11-25', STATELESS] as const;

export function isCarried(version: string): boolean {
  return (VERSIONS as readonly string[]).includes(version);
}

export function isStateless(version: string | undefined): boolean {
  return version === STATELESS;
}
