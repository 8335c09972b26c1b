import { formatMistake, type Mistake } from '../../core/config/mistake.ts';
import { composeVocabulary } from '../compose/vocabulary.ts';
import { configJsonSchema } from '../config/json-schema.ts';
import { loadConfig } from '../config/load.ts';
import { readPolicies } from '../config/policies.ts';

export interface CheckOptions {
  readonly config: string;
  readonly json?: true;
  readonly withoutSecrets?: true;
  readonly schema?: true;
}

/** `hoopd check --json`: stable within a schema version. */
interface CheckReport {
  readonly schemaVersion: 1;
  readonly ok: boolean;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Mistake[];
  readonly policyVersion?: string;
}

/**
 * `hoopd check`: reads configuration and policies as `serve` would, and starts nothing.
 *
 * Mistakes go to standard output with `--json`, else to standard error, one line each.
 *
 * @returns 0, or 78 if there are mistakes.
 */
export function check(options: CheckOptions): number {
  if (options.schema === true) {
    print(JSON.stringify(configJsonSchema(), null, 2));
    return 0;
  }
  const report = examine(options);
  if (options.json === true) print(JSON.stringify(report));
  else explain(report, options.config);
  return report.ok ? 0 : 78;
}

function examine({ config: path, withoutSecrets }: CheckOptions): CheckReport {
  const loaded = loadConfig(path, { secrets: withoutSecrets !== true });
  if (!loaded.ok) return { schemaVersion: 1, ok: false, mistakes: loaded.mistakes, warnings: [] };
  const policies = readPolicies(composeVocabulary(loaded.protocols), loaded.config);
  if (!policies.ok) return { schemaVersion: 1, ok: false, mistakes: policies.mistakes, warnings: [] };
  const { set, warnings } = policies;
  return { schemaVersion: 1, ok: true, mistakes: [], warnings, policyVersion: set.version };
}

function explain(report: CheckReport, path: string): void {
  for (const mistake of report.mistakes) process.stderr.write(`${formatMistake(mistake)}\n`);
  for (const warning of report.warnings) process.stderr.write(`warning: ${formatMistake(warning)}\n`);
  if (report.ok) print(`${path} is valid; policies ${report.policyVersion}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
