import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { formatMistake } from '../core/config/mistake.ts';
import { HoopError } from '../core/errors.ts';
import type { Log, LogFields } from '../core/log.ts';
import { followConfig, readConfig } from '../gateway/config/follow.ts';
import { startGateway } from '../gateway/gateway.ts';
import { makeLocalCertificates } from '../gateway/init/certificates.ts';
import { createLog } from '../gateway/log.ts';
import type { Gateway } from '../gateway/running.ts';
import { startShopApi } from './api.ts';
import { connectTarget, type Row } from './client.ts';
import { claimDirectory, type DemoDirectory } from './directory.ts';
import { type EmbeddedPostgres, startPostgres } from './embedded.ts';
import { writeConfiguration } from './files.ts';
import { shopLog, startShopHost } from './host.ts';
import { type DemoIdp, startIdp } from './idp.ts';
import { freePort } from './ports.ts';
import { makeShop, type Shop } from './shop.ts';

export interface StageOptions {
  /** Where its files go; undefined: a fresh directory, removed at the end. */
  readonly directory: string | undefined;
  /** The gateway's; undefined: any free one. */
  readonly port: number | undefined;
  /** The identity provider's; 0: any free one. */
  readonly idpPort: number;
  /** Cedar text instead of the demo's own. */
  readonly policy?: string;
  /** Told what is being started. */
  readonly onStep?: (text: string) => void;
  /** Told what became of a change of the files, line by line. */
  readonly onReload?: (text: string) => void;
}

/** Everything the play needs, running. */
export interface Stage {
  readonly directory: string;
  readonly gateway: Gateway;
  readonly idp: DemoIdp;
  readonly shop: Shop;
  readonly postgres: EmbeddedPostgres;
  readonly caFile: string;
  /** Asks the database itself, past the gateway, as its owner: what is really in it. */
  truth(sql: string): Promise<readonly Row[]>;
  /** Ends everything in reverse order; safe to call twice. */
  close(): Promise<void>;
}

const DATABASE = 'shop';
const GATEWAY_ROLE = 'hoop';

/**
 * Starts PostgreSQL, the identity provider and the gateway, each listening on 127.0.0.1 alone.
 *
 * @throws {HoopError} `ERR_CONFIG` a port is taken, the directory is in use, an optional part is not installed;
 *   `ERR_TARGET_UNREACHABLE` PostgreSQL did not start. What was started is ended again.
 */
export async function setStage(options: StageOptions): Promise<Stage> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const end of closers.splice(0).reverse()) await end().catch(() => undefined);
  };
  try {
    return { ...(await start(options, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: StageOptions,
  closers: (() => Promise<unknown>)[],
): Promise<Omit<Stage, 'close'>> {
  const step = options.onStep ?? (() => undefined);
  const directory = await claimDirectory(options.directory);
  closers.push(() => directory.release());
  const gatewayPort = options.port ?? (await freePort());
  const certificates = await makeLocalCertificates(['127.0.0.1', 'localhost'], Date.now());

  step('PostgreSQL');
  const postgres = await startPostgres({ directory: directory.database, certificate: certificates.server });
  closers.push(() => postgres.stop());
  const target = { port: postgres.port, ca: certificates.authority };
  const password = randomBytes(24).toString('base64url');
  const shop = makeShop();
  await fillShop(target, postgres, password, shop);

  step('identity provider');
  const idp = await startIdp(options.idpPort, `https://127.0.0.1:${gatewayPort}`);
  closers.push(() => idp.stop());

  const asOwner = { ...target, user: GATEWAY_ROLE, password, database: DATABASE };
  const api = await startShopApi(async (sql) => {
    const owner = await connectTarget(asOwner);
    return owner.query(sql).finally(() => owner.end());
  });
  closers.push(() => api.stop());
  const host = await startShopHost(shopLog(shop.secrets));
  closers.push(() => host.stop());

  step('gateway');
  const database = { port: postgres.port, name: DATABASE, user: GATEWAY_ROLE, password };
  const { issuer, clientId, pageClientId } = idp;
  const file = await writeConfiguration({
    directory: directory.path,
    gatewayPort,
    certificates,
    issuer,
    clientId,
    pageClientId,
    database,
    api,
    host,
    ...(options.policy === undefined ? {} : { policy: options.policy }),
  });
  const gateway = await serve(file, directory, gatewayPort, closers, options.onReload);
  const truth = async (sql: string) => {
    const owner = await connectTarget({ ...target, ...postgres.admin, database: DATABASE });
    try {
      return await owner.query(sql);
    } finally {
      await owner.end();
    }
  };
  return {
    directory: directory.path,
    gateway,
    idp,
    shop,
    postgres,
    caFile: join(directory.path, 'ca.pem'),
    truth,
  };
}

/** The gateway's role owns the shop: what it may not do to it is decided by policy, not by the database's grants. */
async function fillShop(
  target: { readonly port: number; readonly ca: string },
  postgres: EmbeddedPostgres,
  password: string,
  shop: Shop,
): Promise<void> {
  const admin = await connectTarget({ ...target, ...postgres.admin, database: 'postgres' });
  await admin.query(`CREATE ROLE ${GATEWAY_ROLE} LOGIN PASSWORD '${password}'`);
  await admin.query(`CREATE DATABASE ${DATABASE} OWNER ${GATEWAY_ROLE}`);
  await admin.end();
  const owner = await connectTarget({ ...target, user: GATEWAY_ROLE, password, database: DATABASE });
  for (const statement of shop.statements) await owner.query(statement);
  await owner.end();
}

/** What is changed in its folder is in force a moment later, as with `hoopd serve`. */
async function serve(
  file: string,
  directory: DemoDirectory,
  port: number,
  closers: (() => Promise<unknown>)[],
  onReload: (text: string) => void = () => undefined,
): Promise<Gateway> {
  const { next: loaded, known } = readConfig(file);
  if (!loaded.ok) {
    throw new HoopError(
      'ERR_INTERNAL',
      `the demo's own configuration is wrong: ${loaded.mistakes.map(formatMistake)}`,
    );
  }
  const written = createLog(
    'info',
    createWriteStream(join(directory.path, 'hoopd.log'), { flags: 'a', mode: 0o600 }),
  );
  const log = tellingOfReloads(written, onReload);
  try {
    const gateway = await startGateway(loaded, { log });
    closers.push(() => gateway.close({ graceMs: 1_000 }));
    const followed = followConfig(file, loaded, known, gateway, log);
    closers.push(async () => followed.close());
    return gateway;
  } catch (cause) {
    if (!String(cause).includes(String(port))) throw cause;
    throw new HoopError('ERR_CONFIG', `port ${port} is taken`, {
      hint: 'end the demo that may be running, or choose another port: npm start -- --port N',
      cause,
    });
  }
}

/** Whoever edits the rules looks at the demo's terminal, not into its log. */
function tellingOfReloads(log: Log, tell: (text: string) => void): Log {
  const words = (message: string, fields: LogFields = {}) => {
    if (message === 'configuration reloaded') tell(`changed, and in force: policies ${fields['policy']}`);
    if (message === 'the new configuration is not valid') tell(`not valid: ${fields['mistake']}`);
    if (message === 'a policy may not mean what it says' || message === 'a name means nothing at its target')
      tell(`warning: ${fields['at']}`);
    if (message === 'the old configuration stays in force')
      tell('nothing has changed: the rules from before stay in force');
  };
  const both = (level: 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
    log[level](message, fields);
    words(message, fields);
  };
  return { ...log, info: both('info'), warn: both('warn'), error: both('error') };
}
