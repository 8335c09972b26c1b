/** Names as hoopctl leaves them for completion, and what a shell makes of them. */
import { appendFileSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { rememberNames, rememberProfiles } from '../../src/client/store/names.ts';

/** Settings in a new folder, in which lists were shown before; one of them has lines by somebody else's hand. */
export async function listedNames(directory: string): Promise<string> {
  const config = mkdtempSync(join(directory, 'config-'));
  await rememberNames(config, 'default', 'resources', ['pg-prod', 'pg-audit', 'api-prod']);
  await rememberNames(config, 'work', 'resources', ['host-1']);
  await rememberNames(config, 'default', 'sessions', ['ses_1', 'ses_2']);
  await rememberNames(config, 'default', 'approvals', ['apr_1']);
  await rememberProfiles(config, ['default', 'work']);
  appendFileSync(join(config, 'names/default.resources'), '$(touch pwned)\n`touch pwned`\n*\n');
  return config;
}

/** Words that were typed, and what may stand in the place of the last. */
export const NAMED: readonly (readonly [words: readonly string[], expected: readonly string[]])[] = [
  [
    ['connect', 'pg'],
    ['pg-prod', 'pg-audit'],
  ],
  [['connect', 'pg-prod', 'a'], ['api-prod']],
  [['ssh', '--profile', 'work', 'h'], ['host-1']],
  [
    ['session', 'replay', 'ses'],
    ['ses_1', 'ses_2'],
  ],
  [['approval', 'show', 'a'], ['apr_1']],
  [['audit', 'search', '--resource', 'api'], ['api-prod']],
  [
    ['whoami', '--profile', ''],
    ['default', 'work'],
  ],
  [['connect', '--profile', '../work', 'h'], []],
];

/** The same, of values that are all known. */
export const CHOICES: typeof NAMED = [
  [['audit', 'search', '--decision', 'd'], ['deny']],
  [['policy', 'replay', '.', '--outcome', 's'], ['success']],
  [['approval', 'list', '--status', 'ca'], ['cancelled']],
  [['policy', 'pack', 'pi'], ['pii']],
  [
    ['agent-guide', 'c'],
    ['claude-code', 'codex', 'cursor'],
  ],
  [['completion', 'z'], ['zsh']],
];
