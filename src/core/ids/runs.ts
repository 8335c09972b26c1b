/**
 * What one run of an agent or of a job is called: everything that it does carries the name, over however many processes,
 * resources and protocols.
 */

/** Where hoopctl finds the run's id, and where its children do. */
export const RUN_VARIABLE = 'HOOP_RUN_ID';

/** Attributes by which an issuer attests a run: as configured, GitHub Actions, GitLab CI, Kubernetes. */
const ATTESTED_RUNS = ['run', 'runId', 'pipelineId', 'podUid'] as const;

const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,127}$/;

/**
 * Says whether a caller may name its run so.
 *
 * Pure.
 *
 * @returns True for 1 … 128 letters, digits and `._:/@+=-`, the first a letter or a digit. Never throws.
 */
export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}

/**
 * The one run that somebody belongs to, for what must not follow the caller's word where there is a better one.
 *
 * Pure.
 *
 * @returns All that is attested, else what is declared; undefined: no run. Never throws.
 */
export function surestRun(
  attested: Readonly<Record<string, unknown>>,
  declared: string | undefined,
): string | undefined {
  const names = ATTESTED_RUNS.flatMap((name) =>
    typeof attested[name] === 'string' ? [`${name}=${attested[name]}`] : [],
  );
  return names.length > 0 ? names.join(' ') : declared && `declared=${declared}`;
}

/**
 * Every name of the run that somebody belongs to.
 *
 * Pure.
 *
 * @param attested By the issuer, by attribute.
 * @param declared What the caller says; nobody has checked it.
 * @returns The declared one first, then those attested; each once. `[]`: of no run. Never throws.
 */
export function runIdsOf(attested: Readonly<Record<string, unknown>>, declared: unknown): readonly string[] {
  const names = [declared, ...ATTESTED_RUNS.map((name) => attested[name])];
  return [...new Set(names.filter((name) => typeof name === 'string'))];
}
