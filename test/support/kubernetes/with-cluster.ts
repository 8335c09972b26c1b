/**
 * Runs a command while a cluster is up, which finds it by `HOOP_TEST_CLUSTER_ENV`.
 *
 *   node test/support/kubernetes/with-cluster.ts [COMMAND…]     without one: says whether a cluster may be had
 *
 * Exits as the command does; where no cluster may be had, says why in one line and exits 69, and where there is a command, 0.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { findCluster, startCluster } from './cluster.ts';

const UNAVAILABLE = 69;
/** The whole of what is run. */
const RUN_MS = 15 * 60_000;

async function main([command, ...args]: readonly string[]): Promise<number> {
  const place = await findCluster();
  if ('missing' in place) {
    process.stdout.write(command === undefined ? `${place.missing}\n` : `not run: ${place.missing}\n`);
    return command === undefined ? UNAVAILABLE : 0;
  }
  if (command === undefined) return 0;
  const cluster = await startCluster(place);
  try {
    const env = { HOOP_TEST_CLUSTER_ENV: join(dirname(cluster.settings.kubeconfig), 'env') };
    const child = spawn(command, args, {
      stdio: 'inherit',
      env: { ...process.env, ...env },
      timeout: RUN_MS,
    });
    // Whoever is interrupted stops what was started first.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    await cluster.stop();
  }
}

process.exitCode = await main(process.argv.slice(2));
