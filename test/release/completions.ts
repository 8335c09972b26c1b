/** hoopctl's completions, where each shell looks for them. */
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { bashScript } from '../../src/cli/completion/bash.ts';
import { fishScript } from '../../src/cli/completion/fish.ts';
import { completionPlaces } from '../../src/cli/completion/tree.ts';
import { zshScript } from '../../src/cli/completion/zsh.ts';
import { buildProgram } from '../../src/cli/program.ts';
import type { Entry } from './entries.ts';

export function completions(): readonly Entry[] {
  const hooks = { version: '', out: () => undefined, run: async () => undefined };
  const places = completionPlaces(buildProgram(COMMANDS, hooks), COMMANDS);
  return [
    { path: 'share/bash-completion/completions/hoopctl', data: Buffer.from(bashScript(places)) },
    { path: 'share/fish/vendor_completions.d/hoopctl.fish', data: Buffer.from(fishScript(places)) },
    { path: 'share/zsh/vendor-completions/_hoopctl', data: Buffer.from(zshScript(places)) },
  ];
}
