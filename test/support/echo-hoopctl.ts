/** hoopctl as it would be with one more protocol: a line in `cli/connect/clients/index.ts`. */
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { CLIENTS } from '../../src/cli/connect/clients/index.ts';
import { runConnect } from '../../src/cli/connect/run-connect.ts';
import { hoopctl } from '../../src/cli/hoopctl.ts';
import { ECHO_CLIENTS } from './echo-clients.ts';

await hoopctl(
  COMMANDS.map((command) =>
    command.path[0] === 'connect'
      ? { ...command, run: (invocation) => runConnect(invocation, [...CLIENTS, ECHO_CLIENTS]) }
      : command,
  ),
);
