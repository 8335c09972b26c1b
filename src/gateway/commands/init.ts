import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { newSealKeyText } from '../../audit/keys.ts';
import { makeFolders } from '../../core/disk/folders.ts';
import { HoopError } from '../../core/errors.ts';
import { PROTOCOLS } from '../../protocols/index.ts';
import { writeNewFile } from '../../storage/new-file.ts';
import { makeLocalCertificates } from '../init/certificates.ts';
import { STARTER_POLICIES, starterConfig } from '../init/starter.ts';
import { say, tell } from './say.ts';

interface StarterFile {
  readonly name: string;
  readonly mode: number;
  readonly text: string;
}

/**
 * `hoopd init`: writes a configuration that `hoopd check` accepts and `hoopd serve` starts with.
 *
 * Effects: makes the directory and the files that are missing; what exists is never touched. Certificate,
 * key and authority belong together: if any of them exists, none is made.
 *
 * @returns 0.
 * @throws {HoopError} `ERR_CONFIG` the directory cannot be written.
 */
export async function init(directory: string, options: { readonly json?: true }): Promise<number> {
  const written: string[] = [];
  const kept: string[] = [];
  const tls = await tlsFiles();
  const present = tls.some(({ name }) => existsSync(join(directory, name)));
  for (const file of starterFiles()) (writeNew(directory, file) ? written : kept).push(file.name);
  if (present)
    kept.push(...tls.filter(({ name }) => existsSync(join(directory, name))).map(({ name }) => name));
  else for (const file of tls) (writeNew(directory, file) ? written : kept).push(file.name);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ schemaVersion: 1, directory, written, kept })}\n`);
    return 0;
  }
  for (const name of written) say(`wrote ${join(directory, name)}`);
  for (const name of kept) tell(`kept  ${join(directory, name)} as it is`);
  const config = relative('.', join(directory, 'hoopd.yaml'));
  tell(
    `next: replace what ${config} marks, then hoopd check -c ${/\s/.test(config) ? JSON.stringify(config) : config}`,
  );
  return 0;
}

function starterFiles(): StarterFile[] {
  const ofProtocols = PROTOCOLS.flatMap(({ starter }) => Object.entries(starter?.files ?? {}));
  return [
    { name: 'hoopd.yaml', mode: 0o644, text: starterConfig(PROTOCOLS) },
    { name: 'policies/starter.cedar', mode: 0o644, text: STARTER_POLICIES },
    { name: 'seal.key', mode: 0o600, text: newSealKeyText() },
    ...ofProtocols.map(([name, text]) => ({ name, mode: 0o600, text })),
  ];
}

/** One pair and what vouches for it. */
async function tlsFiles(): Promise<StarterFile[]> {
  const { authority, server } = await makeLocalCertificates(['localhost', '127.0.0.1', '::1'], Date.now());
  return [
    { name: 'tls.key', mode: 0o600, text: server.key },
    { name: 'tls.crt', mode: 0o644, text: server.cert },
    { name: 'ca.crt', mode: 0o644, text: authority },
  ];
}

/** @returns False if the file was there already. */
function writeNew(directory: string, { name, mode, text }: StarterFile): boolean {
  const path = join(directory, name);
  try {
    makeFolders(dirname(path), 0o755);
    return writeNewFile(path, text, mode);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new HoopError('ERR_CONFIG', `${path} cannot be written (${code})`, {
      hint: code === 'ENOSPC' ? 'the disk is full: make room' : 'name a directory that you may write into',
      cause: error,
    });
  }
}
