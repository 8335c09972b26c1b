/** A real cluster for tests: found beside the project, started once for a run, and stopped behind it. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../postgres/server.ts';

const run = promisify(execFile);

/** With what its packages take, where some of them are missing. */
const UP_MS = 180_000;
const DOWN_MS = 60_000;
/** The address of its node, of which a machine has one. */
const NODE_ADDRESS = '10.99.0.1';

/** The script that starts one; or the settings of one that is up. */
export type ClusterPlace = { readonly script: string } | { readonly settings: string };

export interface ClusterSettings {
  /** Of an administrator. */
  readonly kubeconfig: string;
  /** The API server itself, `https://…`: what it allows is what the credential is allowed. */
  readonly server: string;
  /** What stands before it and speaks WebSocket as newer servers do; it acts as an administrator. */
  readonly front: string;
  readonly caFile: string;
  readonly adminToken: string;
  /** Of the user `hoopd`, who may nothing until something is bound to it. */
  readonly gatewayToken: string;
}

export interface Cluster {
  readonly settings: ClusterSettings;
  /** What was started is stopped; one that was up stays up. */
  stop(): Promise<void>;
}

/**
 * Where a cluster may be had: `HOOP_TEST_CLUSTER_ENV` names the settings of one that is up, `HOOP_TEST_CLUSTER` the script that
 * starts one; else the script stands beside the project.
 *
 * @returns Or in a sentence why there is none.
 */
export async function findCluster(): Promise<ClusterPlace | { readonly missing: string }> {
  const { HOOP_TEST_CLUSTER_ENV: settings, HOOP_TEST_CLUSTER: named } = process.env;
  if (settings !== undefined) return { settings };
  const script = resolve(named ?? '../shared/k8s/cluster');
  if (!existsSync(script)) return { missing: `no cluster can be started: there is no ${script}` };
  if (process.getuid?.() !== 0) return { missing: 'a cluster is started by root only' };
  const { stdout } = await run('ip', ['-o', 'address', 'show', 'dev', 'lo']);
  if (stdout.includes(` ${NODE_ADDRESS}/`))
    return { missing: 'another cluster runs on this machine: name its settings in HOOP_TEST_CLUSTER_ENV' };
  return { script };
}

/** @throws {Error} It is not up in time; what was started of it is stopped. */
export async function startCluster(place: ClusterPlace): Promise<Cluster> {
  if ('settings' in place) return { settings: settingsOf(place.settings), stop: async () => undefined };
  const { script } = place;
  const directory = mkdtempSync(join(tmpdir(), 'hoop-cluster-'));
  const stop = async () => {
    await run(script, ['down', directory], { timeout: DOWN_MS });
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await run(script, ['up', directory], { timeout: UP_MS, env: { ...process.env, ...(await ports()) } });
    return { settings: settingsOf(join(directory, 'env')), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One that is up, named in the environment. @throws {Error} There is none. */
export function runningCluster(): ClusterSettings {
  const { HOOP_TEST_CLUSTER_ENV: file } = process.env;
  if (file === undefined) throw new Error('no cluster is up: run this by npm run test:cluster');
  return settingsOf(file);
}

async function ports(): Promise<Record<string, string>> {
  const [api, front, etcd] = [await freePort(), await freePort(), await freePort()];
  return { K8S_API_PORT: `${api}`, K8S_FRONT_PORT: `${front}`, K8S_ETCD_PORT: `${etcd}` };
}

/** Reads `export NAME='value' NAME=value …`. */
function settingsOf(file: string): ClusterSettings {
  const text = readFileSync(file, 'utf8');
  const all = new Map(
    [...text.matchAll(/([A-Z0-9_]+)=(?:'([^']*)'|(\S*))/g)].map(([, k, a, b]) => [k, a ?? b]),
  );
  const setting = (name: string) => {
    const value = all.get(name);
    if (value === undefined) throw new Error(`${file} says nothing of ${name}`);
    return value;
  };
  return {
    kubeconfig: setting('KUBECONFIG'),
    server: setting('K8S_APISERVER'),
    front: setting('K8S_FRONT'),
    caFile: setting('K8S_CA'),
    adminToken: setting('K8S_TOKEN_ADMIN'),
    gatewayToken: setting('K8S_TOKEN_GATEWAY'),
  };
}
