/**
 * What others have made with the client of Go: Helm, and a program that watches as controllers do. As a script it builds them and throws
 * them away: what the compiler keeps of it makes the next time short.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newGo } from '../clients/new-go.ts';

const run = promisify(execFile);

/** @returns A new folder with `helm` and `informer` in it. */
export async function buildPrograms(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'hoop-programs-'));
  cpSync(join(import.meta.dirname, '../clients/kubernetes'), directory, { recursive: true });
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod -buildvcs=false' };
  for (const [program, source] of [
    ['informer', '.'],
    ['helm', 'helm.sh/helm/v3/cmd/helm'],
  ] as const)
    await run(newGo(), ['build', '-o', program, source], { cwd: directory, env });
  return directory;
}

if (import.meta.main) rmSync(await buildPrograms(), { recursive: true });
