/** S17: what honest clients do, where all is permitted: they get what they get where no gateway stands. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../../support/postgres/server.ts';
import { must } from '../../attack.ts';
import type { SshClient } from '../client.ts';
import type { SshAttack, SshGroup, SshWorld } from '../world.ts';

type By = 'program' | 'programDirect';

/** Serves one page, and prints its port first, as the servers of editors do; gone with its input. */
const SERVER = [
  'import http.server as h, os, sys, threading',
  'class One(h.BaseHTTPRequestHandler):',
  '  def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b"page %s\\n" % self.path.encode())',
  '  def log_message(self, *_): pass',
  's = h.ThreadingHTTPServer(("127.0.0.1", 0), One)',
  'print("port", s.server_port, flush=True)',
  'threading.Thread(target=s.serve_forever, daemon=True).start()',
  'sys.stdin.read()',
  'os._exit(0)',
].join('\n');

/** A file by which OpenSSH's programs reach the host, which is called `box`. */
function configOf(world: SshWorld, by: By): string {
  if (by === 'program') return world.command(by).split(' ')[2]!;
  const file = join(world.place.away, 'config');
  const { port, username } = world.directConfig;
  const lines = [
    ...[`Host box`, '  HostName 127.0.0.1', `  Port ${port}`, `  User ${username}`],
    ...[`  IdentityFile ${join(world.gateway.dir, 'user')}`, '  IdentitiesOnly yes', '  LogLevel ERROR'],
    ...['  StrictHostKeyChecking no', '  UserKnownHostsFile /dev/null', ''],
  ];
  writeFileSync(file, lines.join('\n'));
  return file;
}

/**
 * A script of bash's, in which `$S` is ssh and `box` the host, `$C` is its configuration, `$D` a directory that is there no more
 * when it is over, `$WEB` the port of a server that says `served`.
 *
 * @param says What it prints, at either.
 */
function script(what: string, text: string, says: string): SshAttack {
  return {
    case: what,
    run: async (world) => {
      const web = createServer((_, response) => response.end('served\n')).listen(0, '127.0.0.1');
      await once(web, 'listening');
      try {
        for (const by of ['programDirect', 'program'] as const) {
          world.place.reset();
          const config = configOf(world, by);
          const env = {
            ...{ C: config, S: `ssh -F ${config}`, WEB: `${(web.address() as AddressInfo).port}` },
            ...{
              SERVER,
              KEY: join(world.gateway.dir, 'user'),
              TO: `${world.directConfig.username}@127.0.0.1`,
            },
            ...{ PORT: `${world.host.port}`, SOCKS: `${await freePort()}`, P: world.place.path },
          };
          const { said, errors } = await ran(text, env);
          const where = by === 'program' ? 'through the gateway' : 'dead: where none stands';
          must(said === says, `${where} it prints ${JSON.stringify(said)}: ${errors}`);
        }
      } finally {
        web.close();
      }
    },
  };
}

function ran(text: string, env: NodeJS.ProcessEnv): Promise<{ said: string; errors: string }> {
  const whole = `set -u; D=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf $D' EXIT; cd $D\n${text}`;
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: 30_000 };
    execFile('bash', ['-c', whole], options, (_, said, errors) => resolve({ said, errors }));
  });
}

/** As many at once as are asked for, of one connection. */
function parallel(
  what: string,
  count: number,
  one: (client: SshClient, n: number) => Promise<string>,
): SshAttack {
  return {
    case: what,
    run: async (world) => {
      const expected = Array.from({ length: count }, (_, n) => `${n}\n`).join('');
      for (const client of [await world.direct(), await world.through()]) {
        const said = await Promise.all(Array.from({ length: count }, (_, n) => one(client, n)));
        must(said.join('') === expected, `it prints ${JSON.stringify(said.join(''))}`);
      }
    },
  };
}

const until = (test: string) => `for n in $(seq 400); do ${test} && break; sleep 0.05; done`;

export const S17: SshGroup = {
  id: 'S17',
  policy: () => '@id("all") permit (principal, action, resource);',
  attacks: [
    script(
      'ssh -N -L, to a socket here, and nothing else runs',
      `$S -N -L $D/l:127.0.0.1:$WEB box & ${until('[ -S $D/l ]')}
       curl -s --unix-socket $D/l http://x/; curl -s --unix-socket $D/l http://x/`,
      'served\nserved\n',
    ),
    script(
      'ControlMaster: sessions, a forward that is added and taken back, files and the end of all, over one connection',
      `M="$S -o ControlPath=$D/m"; $M -o ControlMaster=yes -o ControlPersist=yes -fN box; $M -O check box 2>/dev/null && echo master
       for n in 1 2 3 4 5 6 7 8; do $M box "echo $n" & done | sort; wait
       $M -O forward -L $D/l:127.0.0.1:$WEB box; curl -s --unix-socket $D/l http://x/
       $M -O cancel -L $D/l:127.0.0.1:$WEB box; curl -s --unix-socket $D/l http://x/ || echo closed
       echo text > $D/one; scp -q -F $C -o ControlPath=$D/m $D/one box:$P/copied; cat $P/copied
       $M -O exit box 2>/dev/null; $M -O check box 2>/dev/null || echo gone`,
      'master\n1\n2\n3\n4\n5\n6\n7\n8\nserved\nclosed\ntext\ngone\n',
    ),
    script(
      'ssh -J over the host to another',
      `ssh -F $C -J box -i $KEY -p $PORT -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR $TO 'echo jumped; exit 7'; echo $?`,
      'jumped\n7\n',
    ),
    script(
      'an editor: a script over standard input starts a server, whose port is reached through -D by forty at once',
      `mkfifo out; printf '%s' "$SERVER" > server.py; scp -q -F $C server.py box:$P/server.py
       mkfifo in; $S -T -o ExitOnForwardFailure=yes -D 127.0.0.1:$SOCKS box bash -s < in > out & exec 4> in
       echo "exec python3 -I $P/server.py" >&4; read -r word port < out; echo $word
       seq 40 | xargs -P 20 -I{} curl -s --socks5-hostname 127.0.0.1:$SOCKS http://127.0.0.1:$port/{} | sort -V | md5sum
       exec 4>&-; wait %1; echo $?`,
      `port\n3509c5335d6c45082afc851acbefb1ab  -\n0\n`,
    ),
    script(
      'rsync both ways, with what is gone removed',
      `mkdir -p tree/a; seq 20000 > tree/a/many; rsync -a -e "$S" tree/ box:$P/there/; echo gone > $P/there/extra
       rsync -a --delete -e "$S" tree/ box:$P/there/; test -e $P/there/extra || echo removed
       rsync -a -e "$S" box:$P/there/ back/; diff -r tree back && echo same`,
      'removed\nsame\n',
    ),
    script(
      'git: clone, push, fetch',
      `export GIT_SSH_COMMAND="$S" GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b.c GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b.c
       git init -q --bare -b main $P/repo.git; git clone -q box:$P/repo.git work 2>/dev/null; cd work; echo one > file; git add .
       git commit -qm one; git push -q origin HEAD:main; git clone -q box:$P/repo.git ../again; cat ../again/file`,
      'one\n',
    ),
    script(
      'scp in both its ways, from the host, to it, and of whole directories',
      `mkdir t; seq 50000 > t/n; for o in "" -O; do scp -q $o -F $C -r t box:$P/t$o; scp -q $o -F $C box:$P/t$o/n n$o; cmp t/n n$o && echo same; done`,
      'same\nsame\n',
    ),
    script(
      'mosh-server is started, and says where it is to be reached',
      `$S box 'LC_ALL=C.UTF-8 mosh-server new -i 127.0.0.1 -- true' > out 2> err; grep -oE '^MOSH CONNECT [0-9]+ ' out | cut -d' ' -f1,2
       kill $(sed -n 's/.*pid = \\([0-9]*\\).*/\\1/p' err out)`,
      'MOSH CONNECT\n',
    ),
    script(
      'what runs on when its client has let it go: nohup, and -f',
      `$S -f box "sleep 0.1; echo later > $P/later"; ${until('[ -s $P/later ]')}; cat $P/later
       $S box "nohup sh -c 'sleep 0.1; echo too > $P/too' > /dev/null 2>&1 &"; ${until('[ -s $P/too ]')}; cat $P/too`,
      'later\ntoo\n',
    ),
    script(
      'input that ends first, output that ends first, and none of either',
      `seq 200000 | $S box 'cat > /dev/null; echo read'; seq 200000 | $S box 'head -n 1'; $S -n box 'cat; echo end'; $S box 'echo a; exec 1>&-; echo b >&2' 2>&1`,
      'read\n1\nend\na\nb\n',
    ),
    parallel('a hundred commands at once', 100, async (client, n) =>
      (await client.exec(`cat`, { input: `${n}\n` })).stdout.toString(),
    ),
  ],
};
