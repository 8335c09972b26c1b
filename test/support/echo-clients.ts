/**
 * hoopctl's half of a protocol that hoopctl does not know: what is sent comes back. Its clients need a file, and log in
 * by nothing.
 */
import type { ClientHalf } from '../../src/cli/connect/clients/half.ts';
import type { KnownClients } from '../../src/cli/connect/clients/index.ts';

const echo: ClientHalf = {
  local: {
    defaultPort: 7,
    alpn: [],
    socketName: (port) => `echo.${port}`,
    guard: async () => ({
      secret: 'sesame',
      proof: { kind: 'bearer-sha256', value: 'A'.repeat(43) },
      door: {
        admit: async () => ({ introduce: async () => true, left: () => undefined }),
        refuse: (local) => local.destroy(),
      },
    }),
    refuse: (local) => local.destroy(),
  },
  removes: ['ECHO_ELSEWHERE'],
  askAhead: async (remote) => {
    remote.destroy();
    return { approval: undefined };
  },
  prepare(ends, files) {
    const paths = new Map(
      ends.map(({ resource, address }) => [
        resource.name,
        files.write(`${resource.name}.conf`, `port ${address.port}\n`),
      ]),
    );
    const pathOf = ({ resource }: (typeof ends)[number]) => paths.get(resource.name)!;
    return {
      variables: { ECHO_CONFIG: pathOf(ends[0]!) },
      url: ({ address }) => `echo://127.0.0.1:${address.port}`,
      steps: (end) => [`echo-client --config ${pathOf(end)}`],
      facts: (end) => ({ config: pathOf(end) }),
    };
  },
};

export const ECHO_CLIENTS: KnownClients = {
  protocol: 'echo',
  help: {
    variables: 'ECHO_CONFIG',
    remark: 'What is sent comes back.',
    socket: 'echo-client DIRECTORY',
    examples: {
      command: 'hoopctl connect echo -- echo-client',
      socket: 'hoopctl connect echo --socket .',
      ask: 'hoopctl approval request echo',
      explain: 'hoopctl policy explain echo -c hello',
    },
  },
  load: async () => echo,
};
