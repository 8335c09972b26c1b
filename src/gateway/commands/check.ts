import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatMistake, type Mistake } from '../../core/config/mistake.ts';
import { ERROR_TABLE, HoopError } from '../../core/errors.ts';
import { composeVocabulary } from '../compose/vocabulary.ts';
import { configJsonSchema } from '../config/json-schema.ts';
import { loadConfig } from '../config/load.ts';
import { openFiles } from '../config/open-files.ts';
import { readPolicies } from '../config/policies.ts';
import { compareTargets, type TargetReport } from './check-targets.ts';
import { say, tell } from './say.ts';

export interface CheckOptions {
  readonly config: string;
  readonly json?: true;
  readonly withoutSecrets?: true;
  readonly schema?: true;
  readonly targets?: true;
}

/** `hoopd check --json`: stable within a schema version. */
interface CheckReport {
  readonly schemaVersion: 1;
  readonly ok: boolean;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Mistake[];
  readonly policyVersion?: string;
  /** With `--targets`: those of resources whose targets have names; what is not there is among the mistakes. */
  readonly targets?: readonly TargetReport[];
}

/**
 * `hoopd check`: reads configuration and policies as `serve` would, and starts nothing. With `targets` it asks each target
 * whether it has what they name.
 *
 * Mistakes go to standard output with `--json`, else to standard error, one line each.
 *
 * @returns 0; 78 if there are mistakes; else that of the first target that could not be asked.
 * @throws {HoopError} `ERR_USAGE` targets are to be asked without secrets.
 */
export async function check(options: CheckOptions): Promise<number> {
  if (options.schema === true) {
    print(JSON.stringify(configJsonSchema(), null, 2));
    return 0;
  }
  if (options.targets === true && options.withoutSecrets === true)
    throw new HoopError('ERR_USAGE', '--targets and --without-secrets stand beside each other', {
      hint: 'targets are asked with their secrets: leave one of the two out',
    });
  const report = await examine(options);
  if (options.json === true) print(JSON.stringify(report));
  else explain(report, options.config);
  return exitCodeOf(report);
}

function exitCodeOf({ mistakes, targets = [] }: CheckReport): number {
  if (mistakes.length > 0) return 78;
  const failed = targets.find(({ compared }) => !compared);
  return failed?.code === undefined ? 0 : ERROR_TABLE[failed.code].exit;
}

async function examine({ config: path, withoutSecrets, targets, json }: CheckOptions): Promise<CheckReport> {
  const loaded = loadConfig(path, { secrets: withoutSecrets !== true });
  if (!loaded.ok) return { schemaVersion: 1, ok: false, mistakes: loaded.mistakes, warnings: [] };
  const policies = readPolicies(composeVocabulary(loaded.protocols), loaded.config);
  if (!policies.ok) return { schemaVersion: 1, ok: false, mistakes: policies.mistakes, warnings: [] };
  const { set } = policies;
  const warnings = [...(withoutSecrets === true ? [] : openFiles(loaded)), ...policies.warnings];
  const valid = { schemaVersion: 1, ok: true, mistakes: [], warnings, policyVersion: set.version } as const;
  if (targets !== true) return valid;
  const begins = (resource: string) => {
    if (json !== true) tell(`asking the target of ${resource}`);
  };
  const asked = await compareTargets(loaded, set.policies, begins);
  const ok = asked.mistakes.length === 0 && asked.targets.every(({ compared }) => compared);
  return { ...valid, ...asked, ok };
}

function explain(report: CheckReport, path: string): void {
  const line = (mistake: Mistake) => formatMistake({ ...mistake, file: fromHere(path, mistake.file) });
  for (const mistake of report.mistakes) tell(line(mistake));
  for (const warning of report.warnings) tell(`warning: ${line(warning)}`);
  for (const { problem, hint } of report.targets ?? [])
    if (problem !== undefined) tell(`${problem}${hint === undefined ? '' : `; ${hint}`}`);
  if (report.ok)
    say(`${path} is valid${warnedText(report)}; policies ${report.policyVersion}${comparedText(report)}`);
}

/** Files are named from the configuration's directory; editors and people look for them from where the command was given. */
function fromHere(config: string, file: string): string {
  const path = join(dirname(config), file);
  return existsSync(path) ? path : file;
}

function comparedText({ targets }: CheckReport): string {
  if (targets === undefined) return '';
  if (targets.length === 0) return '; no resource has names to compare';
  const asked = targets.map(({ resource }) => resource).join(', ');
  return `; the ${targets.length === 1 ? 'target has' : 'targets have'} every name asked for there: ${asked}`;
}

/** A warning may be of a name that no target was asked for: what is said last must not sound as if it were there. */
function warnedText({ warnings }: CheckReport): string {
  const { length: count } = warnings;
  return count === 0 ? '' : ` but for ${count === 1 ? 'the warning' : `the ${count} warnings`} above`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
