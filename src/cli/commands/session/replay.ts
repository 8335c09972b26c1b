import type { CommandSpec } from '../../command.ts';

export const sessionReplay: CommandSpec = {
  path: ['session', 'replay'],
  summary: 'play what a session showed, in its own time',
  description:
    'Plays statements, results, terminals and refusals as the client saw them, masked values masked. On a terminal ' +
    'terminals are drawn, without whatever would touch yours but its screen; in a pipe they are text. With --json the ' +
    'frames are printed at once, one per line.',
  arguments: [{ syntax: '<id>', text: 'session id, ses_…' }],
  options: [
    { flags: '--speed <factor>', text: 'how much faster than it was; 0 without any pause (default 1)' },
    { flags: '--idle-limit <time>', text: 'longest pause, seconds (default 2)' },
    { flags: '--at <time>', text: 'play from there: 90, 1:30; what came before is shown at once' },
    { flags: '--follow', text: 'what there is at once, and then what comes, until the session ends' },
    { flags: '--stream <n>', text: 'only one of its connections or channels' },
    {
      flags: '--asciicast <version>',
      text: 'one terminal as a file for asciinema, version 3 or 2',
      choices: ['3', '2'],
    },
  ],
  gateway: 'as-person',
  examples: [
    'hoopctl session replay ses_01JD8M2K7QZX4T9B3N5V6W8Y0C --speed 4',
    'hoopctl session replay ses_01JD8M2K7QZX4T9B3N5V6W8Y0C --follow',
    'hoopctl session replay ses_01JD8M2K7QZX4T9B3N5V6W8Y0C --asciicast 3 > shell.cast',
    'hoopctl session replay ses_01JD8M2K7QZX4T9B3N5V6W8Y0C --json | jq -r \'select(.kind=="request").text\'',
  ],
  exitCodes: [67, 69, 76, 77],
  run: async (invocation) => (await import('../../replay/run-replay.ts')).runReplay(invocation),
};
