/** What the process outside a sandbox and the one inside it have agreed on. */

/** Names the directory of the sandbox's sockets to the process inside; its presence says that it is inside. */
export const SANDBOX_VARIABLE = 'HOOPCTL_SANDBOX';

/** Over it signals come in; that somebody has connected says that the sandbox is up. */
export const CONTROL_SOCKET = 'control.sock';

/** Behind it lies what the sandbox finds at this port of its own loopback. */
export function socketOfPort(port: number): string {
  return `${port}.sock`;
}

/** Pure. @returns Undefined: of no port. */
export function portOfSocket(name: string): number | undefined {
  const port = Number(/^(\d{1,5})\.sock$/.exec(name)?.[1] ?? '0');
  return port >= 1 && port <= 65_535 ? port : undefined;
}
