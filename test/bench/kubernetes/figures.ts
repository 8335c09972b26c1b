/** What a cluster behind hoopctl and hoopd costs kubectl, and whoever watches, beside the same cluster itself. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import { newestKubectl } from '../../support/kubernetes/kubectl.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';
import { rssKiB } from '../processes.ts';
import { type BenchRun, interleaved, note } from '../rounds.ts';

const run = promisify(execFile);

const PODS = 5_000;
const RATE = 1_000;
const LINE_END = 0x0a;

/** All rooms at work; `looked` sees no value of the environment, and none that a detector finds. */
const POLICY = `
@id("all") permit (principal, action, resource);
@id("hidden") forbid (principal in Group::"others", action == Action::"reveal", resource);
`;

interface Place {
  readonly port: number;
  readonly token: string;
  readonly ca: string;
  readonly kubeconfig: string;
}

const NAMES = ['direct', 'hoop', 'masked'] as const;
type Places = Readonly<Record<(typeof NAMES)[number], Place>>;

/** Starts everything, measures, and stops everything: a minute if quick, three if not. Needs kubectl. */
export async function kubernetesFigures(bench: BenchRun): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'hoop-kubernetes-bench-'));
  const { authority, server } = await makeLocalCertificates(['127.0.0.1'], Date.now());
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const ca = file('ca.pem', authority);
  const script = fileURLToPath(new URL('./server.ts', import.meta.url));
  const cluster = spawn(
    process.execPath,
    [script, file('key', server.key), file('cert', server.cert), String(PODS)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const port = Number(await firstLine(cluster));
  const stack = await startStack({
    policy: POLICY,
    resources: () => `
  k8s:
    protocol: kubernetes
    target: { url: 'https://127.0.0.1:${port}', caFile: ${ca} }
    credentials: { bearer: { file: ${file('token', 'token-of-the-cluster')} } }
    classification: { kinds: { '*': { '$..env.value': [secret.env] } } }`,
  });
  const tunnels = {
    hoop: await stack.tunnelTo('k8s'),
    masked: await stack.tunnelTo('k8s', [], {
      HOOPCTL_TOKEN: stack.issuer.mint({ sub: 'job', repository: 'org/other' }),
    }),
  };
  try {
    const direct = { port, token: 'x', ca: authority, kubeconfig: file('config', configOf(port, authority)) };
    const places = { direct, hoop: placeOf(tunnels.hoop), masked: placeOf(tunnels.masked) };
    for (const name of NAMES) await pods(places[name], directory);
    await lists(bench, places, directory);
    await watches(bench, places);
    await steady(bench, places, stack);
  } finally {
    for (const tunnel of Object.values(tunnels)) await tunnel.close();
    await stack.stop();
    cluster.kill('SIGTERM');
    rmSync(directory, { recursive: true, force: true });
  }
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  const [line] = (await once(createInterface({ input: stdout! }), 'line')) as [string];
  return line;
}

function configOf(port: number, authority: string): string {
  const cluster = {
    server: `https://127.0.0.1:${port}`,
    'certificate-authority-data': Buffer.from(authority).toString('base64'),
  };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'k', cluster }],
    users: [{ name: 'k', user: { token: 'x' } }],
    contexts: [{ name: 'k', context: { cluster: 'k', user: 'k' } }],
    'current-context': 'k',
  });
}

function placeOf({ port, token = '', kubeconfig = '' }: Tunnel): Place {
  const { clusters } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    readonly clusters: readonly [{ readonly cluster: { readonly 'certificate-authority-data': string } }];
  };
  const ca = Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64').toString();
  return { port, token, ca, kubeconfig };
}

/** `kubectl get pods -A`, whole. @returns Milliseconds. */
async function pods({ kubeconfig }: Place, directory: string): Promise<number> {
  const env = { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: kubeconfig };
  const startedAt = performance.now();
  const { stdout } = await run(newestKubectl().path, ['get', 'pods', '-A', '--chunk-size=0'], {
    env,
    maxBuffer: 1 << 28,
  });
  const took = performance.now() - startedAt;
  const lines = stdout.trim().split('\n').length;
  if (lines !== PODS + 1) throw new Error(`kubectl shows ${lines} lines`);
  return took;
}

async function lists(bench: BenchRun, places: Places, directory: string): Promise<void> {
  const rounds = bench.quick ? 5 : 9;
  await interleaved(
    rounds,
    NAMES,
    (name) => pods(places[name], directory),
    (round) => {
      bench.say(`get pods -A of ${PODS}: ${told(round, 'ms')}`);
      note(bench, 'kubernetesList', round.direct / round.hoop);
      note(bench, 'kubernetesListMasked', round.direct / round.masked);
    },
  );
  const sizes = new Map<string, number>();
  await interleaved(
    rounds,
    NAMES,
    async (name) => {
      const startedAt = performance.now();
      const { octets } = await taken(places[name], '/api/v1/pods');
      sizes.set(name, octets);
      return performance.now() - startedAt;
    },
    (round) => {
      bench.say(`the same objects whole, in JSON: ${told(round, 'ms')}`);
      note(bench, 'kubernetesWhole', round.direct / round.hoop);
      note(bench, 'kubernetesWholeMasked', round.direct / round.masked);
    },
  );
  const [shown = 0, masked = 0] = [sizes.get('hoop'), sizes.get('masked')];
  if (shown !== sizes.get('direct') || masked >= shown) throw new Error('nothing is masked, or too much');
}

async function watches(bench: BenchRun, places: Places): Promise<void> {
  const seconds = bench.quick ? 2 : 4;
  await interleaved(
    bench.quick ? 5 : 7,
    NAMES,
    async (name) => (await taken(places[name], watchOf(0, seconds))).lines / seconds,
    (round) => {
      bench.say(`events of a watch: ${told(round, 'per second')}`);
      note(bench, 'kubernetesWatch', round.hoop / round.direct);
      note(bench, 'kubernetesWatchPerSecond', round.masked);
    },
  );
}

/** At a thousand events a second hoopd keeps none of them. */
async function steady(bench: BenchRun, { masked }: Places, stack: Stack): Promise<void> {
  const seconds = bench.quick ? 15 : 60;
  const pid = stack.hoopd.child.pid ?? 0;
  await taken(masked, watchOf(RATE, 5));
  const before = rssKiB(pid);
  let peak = before;
  const looks = setInterval(() => {
    peak = Math.max(peak, rssKiB(pid));
  }, 100);
  const { lines } = await taken(masked, watchOf(RATE, seconds));
  clearInterval(looks);
  bench.say(
    `${RATE} events per second for ${seconds} s: ${lines} came, ${((peak - before) / 1024).toFixed(0)} MiB more`,
  );
  if (lines < RATE * seconds * 0.95) throw new Error(`only ${lines} events came`);
  note(bench, 'kubernetesMemory', (peak - before) / 1024);
}

function watchOf(perSecond: number, seconds: number): string {
  return `/api/v1/pods?watch=true&perSecond=${perSecond}&seconds=${seconds}`;
}

function told(round: Readonly<Record<string, number>>, unit: string): string {
  return `${Object.entries(round)
    .map(([name, value]) => `${name} ${Math.round(value)}`)
    .join(', ')} ${unit}`;
}

/** An answer, read to its end. */
async function taken({ port, token, ca }: Place, path: string): Promise<{ lines: number; octets: number }> {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
  const asked = request({ host: '127.0.0.1', port, path, ca, headers, agent: false }).end();
  const [answer] = (await once(asked, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }];
  if (answer.statusCode !== 200) throw new Error(`${path} is answered ${answer.statusCode}`);
  let [lines, octets] = [0, 0];
  for await (const chunk of answer) {
    octets += chunk.length;
    for (let at = chunk.indexOf(LINE_END); at !== -1; at = chunk.indexOf(LINE_END, at + 1)) lines++;
  }
  return { lines, octets };
}
