import type { KeyObject } from 'node:crypto';
import { hkdfSync, randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { loadSigningKey as loadAuditKey } from '../../audit/keys.ts';
import { HoopError } from '../../core/errors.ts';
import {
  generateSigningKey,
  loadSigningKey,
  type PrivateJwk,
  type SigningKey,
} from '../../identity/signing-key.ts';
import { lockDirectory } from '../../storage/dir-lock.ts';
import { writeNewFile } from '../../storage/new-file.ts';

/** What a gateway must find again after a restart. */
export interface GatewayState {
  /** This gateway's name in audit chains; drawn once. */
  readonly instance: string;
  readonly tokenKey: SigningKey;
  readonly auditKey: KeyObject;
  /** 32 octets made of the token key, others for each purpose: none tells of another. RFC 5869. */
  readonly ownSecret: (purpose: string) => Buffer;
  readonly database: DatabaseSync;
  /** For audit chains. */
  readonly auditDir: string;
  /** For the search index. */
  readonly indexDir: string;
  /** Files that others could read, and no longer can. */
  readonly wereOpen: readonly string[];
  close(): void;
}

/** Who reads one of them is the gateway, or lifts what was revoked. */
const PRIVATE = ['token-key.jwk', 'audit-key.pem', 'state.db'] as const;
const GROUP_AND_OTHER = 0o077;

const SALT = 'hoop-own-secret';
const SECRET_BYTES = 32;

/**
 * Opens the state directory, making what is missing: `instance`, `token-key.jwk`, `audit-key.pem`, `state.db`, all
 * readable by their owner alone.
 *
 * Effects: takes the directory for this process; writes files at the first start only; takes from others what they could read, as a
 * copy that was put back may have it.
 *
 * @param dir Absolute.
 * @throws {HoopError} `ERR_CONFIG` another hoopd uses it, or something in it cannot be read or made.
 */
export async function openState(dir: string): Promise<GatewayState> {
  const lock = open(dir, () => lockDirectory(dir, 'hoopd'));
  try {
    const wereOpen = PRIVATE.map((name) => join(dir, name)).filter(closeToOthers);
    const instance = readOrMake(join(dir, 'instance'), () => `hoopd-${randomBytes(5).toString('hex')}`);
    const jwk = readOrMake(join(dir, 'token-key.jwk'), () => JSON.stringify(generateSigningKey()));
    const tokenKey = await loadSigningKey(open(dir, () => JSON.parse(jwk) as PrivateJwk));
    const auditKey = loadAuditKey(join(dir, 'audit-key.pem'), { create: true });
    const database = open(dir, () => openDatabase(join(dir, 'state.db')));
    const close = () => {
      database.close();
      lock.release();
    };
    const dirs = { auditDir: join(dir, 'audit'), indexDir: join(dir, 'index') };
    return {
      instance,
      tokenKey,
      auditKey,
      ownSecret: secretsOf(tokenKey),
      database,
      ...dirs,
      wereOpen,
      close,
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** @returns Whether others could read it. @throws {HoopError} `ERR_CONFIG` they still can. */
function closeToOthers(path: string): boolean {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & GROUP_AND_OTHER) === 0) return false;
  try {
    chmodSync(path, mode & ~GROUP_AND_OTHER & 0o777);
    return true;
  } catch (cause) {
    const hint = `give it to the user that hoopd runs as, and to nobody else: chmod 600 ${path}`;
    throw new HoopError('ERR_CONFIG', `${path} may be read by others`, { hint, cause });
  }
}

function secretsOf({ privateKey }: SigningKey): GatewayState['ownSecret'] {
  const octets = privateKey.export({ type: 'pkcs8', format: 'der' });
  return (purpose) => Buffer.from(hkdfSync('sha256', octets, SALT, purpose, SECRET_BYTES));
}

function openDatabase(path: string): DatabaseSync {
  // SQLite gives a new file the process's mask: it must exist with the right mode first.
  writeFileSync(path, '', { mode: 0o600, flag: 'a' });
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000');
  return database;
}

function readOrMake(path: string, make: () => string): string {
  return open(path, () => {
    writeNewFile(path, make(), 0o600);
    const text = readFileSync(path, 'utf8').trim();
    if (text !== '') return text;
    throw new HoopError('ERR_CONFIG', `${path} is empty`, {
      hint: 'restore it, or remove it: it is made anew',
    });
  });
}

function open<Value>(path: string, attempt: () => Value): Value {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof HoopError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new HoopError('ERR_CONFIG', `${path} cannot be used (${code})`, {
      hint:
        code === 'ENOSPC'
          ? 'the disk is full: make room'
          : 'give hoopd a directory of its own that it may write, by state in the configuration',
      cause: error,
    });
  }
}
