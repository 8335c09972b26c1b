/** K22: the kubeconfig that `hoopctl connect` writes. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import { RawHttp } from '../../../support/http/raw-http.ts';
import { type Finished, RunningHoopctl } from '../../../support/run-hoopctl.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import type { KubernetesAttack, KubernetesGroup, KubernetesWorld } from '../world.ts';

interface Config {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } },
  ];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

/** A tunnel that is open, and its kubeconfig. */
interface Opened {
  readonly hoopctl: RunningHoopctl;
  readonly path: string;
  readonly text: string;
  readonly port: number;
  readonly token: string;
  readonly authority: string;
}

function environment({ cluster: { running } }: KubernetesWorld, home: string): Record<string, string> {
  return {
    HOME: home,
    HOOPCTL_GATEWAY: running.gateway.url,
    HOOPCTL_CONFIG_DIR: join(running.dir, 'hoopctl'),
    HOOPCTL_TOKEN: running.issuer.mint({ sub: 'job', repository: 'org/shop' }),
    NODE_EXTRA_CA_CERTS: join(running.dir, 'ca.crt'),
  };
}

/** A home with a kubeconfig of its owner's. */
function homeIn({ cluster: { running } }: KubernetesWorld): string {
  const home = join(running.dir, 'home');
  mkdirSync(join(home, '.kube'), { recursive: true });
  writeFileSync(join(home, '.kube', 'config'), OWN);
  return home;
}
const OWN = 'apiVersion: v1\nkind: Config\n';

async function opened(world: KubernetesWorld, ...more: string[]): Promise<Opened> {
  const hoopctl = new RunningHoopctl(
    ['connect', 'k8s', '--json', ...more],
    environment(world, homeIn(world)),
  );
  const [line] = await hoopctl.until(/^\{.*"listening".*\}$/m);
  const { kubeconfig, port } = JSON.parse(line) as { readonly kubeconfig: string; readonly port: number };
  const text = readFileSync(kubeconfig, 'utf8');
  const { clusters, users } = JSON.parse(text) as Config;
  const authority = Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64').toString();
  return { hoopctl, path: kubeconfig, text, port, token: users[0].user.token, authority };
}

async function ended({ hoopctl }: Pick<Opened, 'hoopctl'>, signal: NodeJS.Signals): Promise<Finished> {
  hoopctl.child.kill(signal);
  return hoopctl.finished;
}

const PODS = (world: KubernetesWorld) => `/api/v1/namespaces/${world.namespace}/pods`;

interface By {
  readonly token?: string;
  readonly ca?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @returns The status, or why there is none. */
function asks(
  world: KubernetesWorld,
  { port, authority, token }: Opened,
  by: By = {},
): Promise<number | string> {
  const { ca = authority, headers = {} } = by;
  const shown = by.token ?? token;
  return new Promise((resolve) => {
    const authorization = shown === '' ? {} : { authorization: `Bearer ${shown}` };
    const to = {
      host: '127.0.0.1',
      port,
      path: PODS(world),
      agent: false,
      ca,
      headers: { ...authorization, ...headers },
    };
    request(to, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    })
      .on('error', (error) => resolve(error.message))
      .end();
  });
}

function withTunnel(
  what: string,
  run: (world: KubernetesWorld, tunnel: Opened) => Promise<void>,
): KubernetesAttack {
  return {
    case: what,
    run: async (world) => {
      const tunnel = await opened(world);
      try {
        const honest = await asks(world, tunnel);
        must(honest === 200, `dead: an honest request is answered ${honest}`);
        world.clear();
        await run(world, tunnel);
      } finally {
        await ended(tunnel, 'SIGTERM');
      }
    },
  };
}

/** Nobody is let in, and the cluster hears nothing. */
function keptOut(what: string, by: (world: KubernetesWorld, other: Opened) => By): KubernetesAttack {
  return withTunnel(what, async (world, tunnel) => {
    const other = await opened(world);
    try {
      const answer = await asks(world, tunnel, by(world, other));
      must(answer !== 200, 'it is let in');
      must(world.sent.length === 0, `the cluster is sent ${world.sent.toString('latin1')}`);
    } finally {
      await ended(other, 'SIGTERM');
    }
  });
}

/** The file is gone with what it stands for. */
function goneAt(signal: NodeJS.Signals): KubernetesAttack {
  return {
    case: `it is gone with ${signal}, and so is the port`,
    run: async (world) => {
      const tunnel = await opened(world);
      must(existsSync(tunnel.path), 'dead: there is none');
      await ended(tunnel, signal);
      must(!existsSync(tunnel.path), 'it is left behind');
      const answer = await asks(world, tunnel);
      must(typeof answer === 'string', `its port answers ${answer}`);
    },
  };
}

/** Nothing of it ran any more: what it left behind is of no use to anybody, and the next one removes it. */
const KILLED: KubernetesAttack = {
  case: 'behind SIGKILL the next hoopctl removes it, and whoever has read it is let in nowhere',
  run: async (world) => {
    const tunnel = await opened(world);
    await ended(tunnel, 'SIGKILL');
    must(existsSync(tunnel.path), 'dead: it was not left behind');
    const closed = await asks(world, tunnel);
    must(typeof closed === 'string', `its port answers ${closed}`);
    const next = await opened(world, '--port', `${tunnel.port}`);
    try {
      must(
        next.port === tunnel.port && (await asks(world, next)) === 200,
        'dead: the next one does not serve',
      );
      must(!existsSync(dirname(tunnel.path)), 'it is left behind');
      must(existsSync(next.path), 'that of the next one is gone as well');
      world.clear();
      for (const authority of [tunnel.authority, next.authority]) {
        const answer = await asks(world, { ...tunnel, authority });
        must(answer !== 200, 'its token is let in at the same port');
      }
      must(world.sent.length === 0, `the cluster is sent ${world.sent.toString('latin1')}`);
    } finally {
      await ended(next, 'SIGTERM');
    }
  },
};

const AUTHORITY_OF_NOBODY = '';

export const K22: KubernetesGroup = {
  id: 'K22',
  attacks: [
    withTunnel('nobody else reads it, and it stands in a directory of its own', async (world, tunnel) => {
      must((statSync(tunnel.path).mode & 0o777) === 0o600, 'its mode is not 0600');
      must((statSync(dirname(tunnel.path)).mode & 0o077) === 0, 'others read its directory');
      const own = join(world.cluster.running.dir, 'home', '.kube', 'config');
      must(tunnel.path !== own && readFileSync(own, 'utf8') === OWN, "its owner's own was changed");
    }),
    withTunnel('it trusts one authority, and checks it', async (_world, tunnel) => {
      must(!/insecure|skip-tls|tls-server-name|proxy-url/i.test(tunnel.text), 'it does not check');
      must(tunnel.authority.includes('BEGIN CERTIFICATE'), 'it names no authority');
      must(/"server": "https:\/\/127\.0\.0\.1:\d+"/.test(tunnel.text), 'it leads elsewhere');
      must(
        !/client-certificate|client-key|exec"|auth-provider|password/.test(tunnel.text),
        'it has more to show',
      );
    }),
    withTunnel('what is in it is of this tunnel, and nothing of what hoopd holds', async (world, tunnel) => {
      must(tunnel.token.length >= 32, 'its token is short');
      must(!tunnel.text.includes(world.token), 'it shows the credential of hoopd');
      const line = readFileSync(`/proc/${tunnel.hoopctl.child.pid}/cmdline`, 'latin1');
      must(!line.includes(tunnel.token), 'the token stands among the arguments');
      const printed = tunnel.hoopctl.stderr;
      must(!printed.includes(tunnel.token), 'the token is printed for people');
    }),
    keptOut('another token is not let in', () => ({ token: 'b3RoZXItdG9rZW4tb3RoZXItdG9rZW4' })),
    keptOut('none is not let in', () => ({ token: '' })),
    keptOut('that of another tunnel is not let in', (_world, other) => ({ token: other.token })),
    keptOut("hoopd's own is not let in", ({ token }) => ({ token })),
    keptOut('what trusts the authority of another tunnel does not speak to it', (_world, other) => ({
      ca: other.authority,
    })),
    keptOut('what trusts whom the system trusts does not speak to it', () => ({ ca: AUTHORITY_OF_NOBODY })),
    keptOut('a web page is not let in', () => ({
      headers: { host: 'evil.example', origin: 'https://evil.example' },
    })),
    withTunnel('without TLS it says nothing', async (world, tunnel) => {
      const client = await RawHttp.connect(tunnel.port);
      client.send(world.octetsOf({ target: PODS(world) }, `Authorization: Bearer ${tunnel.token}`));
      await eventually('it is closed, or answered', () => client.closed || client.received.length > 0);
      must(!client.received.includes('200 OK'), `it is answered ${client.received}`);
      must(world.sent.length === 0, 'the cluster is asked');
      client.close();
    }),
    goneAt('SIGTERM'),
    goneAt('SIGINT'),
    goneAt('SIGHUP'),
    KILLED,
    {
      case: 'a command has it in its own environment, and it is gone when the command ends',
      run: async (world) => {
        const home = homeIn(world);
        const script =
          'const fs = require("fs"); const p = process.env.KUBECONFIG;' +
          'console.log(JSON.stringify({ p, mode: fs.statSync(p).mode & 0o777, there: fs.existsSync(p) })); process.exit(3)';
        const args = ['connect', 'k8s', '--', process.execPath, '-e', script];
        const hoopctl = new RunningHoopctl(args, {
          ...environment(world, home),
          KUBECONFIG: join(home, 'other'),
        });
        hoopctl.child.stdin!.end();
        const { stdout, exitCode, stderr } = await hoopctl.finished;
        must(exitCode === 3, `it ends with ${exitCode}: ${stderr}`);
        const { p, mode, there } = JSON.parse(stdout) as { p: string; mode: number; there: boolean };
        must(there && mode === 0o600, `dead: ${stdout}`);
        must(p !== join(home, 'other') && !existsSync(p), 'it is left behind');
        must(!existsSync(join(home, 'other')), 'what KUBECONFIG named was written');
      },
    },
  ],
};
