/** What detectors find is in nothing that is printed in a pod or was; and what was masked is not written back by an editor. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusterGateway, podOf } from '../support/kubernetes/gateway.ts';
import { kubectls, newestKubectl } from '../support/kubernetes/kubectl.ts';
import { eventually } from '../support/waiting.ts';

const MAIL = 'ada.lovelace@example.com';
const SAYS = `for i in 1 2 3; do echo "line $i for ${MAIL} of the shop"; done`;
const POLICY = () => `
@id("use") permit (principal, action in [Action::"connect", Action::"k8s"], resource);
@id("see") permit (principal, action == Action::"reveal", resource)
unless { resource.tags.containsAny(["pii.email", "secret.kubernetes"]) };
@id("no-copies") forbid (principal, action == Action::"k8s.exec", resource)
when { context.program == "tar" && context.container == "kept" };
`;

const directory = mkdtempSync(join(tmpdir(), 'hoop-masked-'));
let at: ClusterGateway;

beforeAll(async () => {
  at = await ClusterGateway.start({ policy: POLICY, through: 'front' });
  const command = [
    'sh',
    '-c',
    `${SAYS}; mkdir /w; echo ${MAIL} > /w/index.html; httpd -p 8080 -h /w; exec sleep 3600`,
  ];
  await at.admin(['create', '-f', '-'], JSON.stringify(podOf('box', {}, { command })));
  await at.admin(['wait', '--for=condition=Ready', 'pod/box', '--timeout=60s']);
  const logged = () => at.admin(['logs', 'box']);
  await eventually('it has said all', logged, (text) => text.includes('line 3'), {
    withinMs: 30_000,
    everyMs: 250,
  });
});

afterAll(async () => {
  await at?.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe.each([kubectls()[0]!, newestKubectl()])('kubectl $version', ({ path }) => {
  it.each([
    ['logs', ['logs', 'box']],
    ['the last lines', ['logs', 'box', '--tail=2', '--timestamps']],
    ['output', ['exec', 'box', '--', 'sh', '-c', SAYS]],
    ['errors', ['exec', 'box', '--', 'sh', '-c', `(${SAYS}) >&2`]],
    ['a file', ['exec', 'box', '--', 'cat', '/w/index.html']],
  ] as [string, string[]][])('%s: shown without what is found', async (_what, args) => {
    const past = await at.direct(args, {}, path);
    expect(past.stdout + past.stderr).toContain(MAIL);
    const through = await at.kubectl(args, {}, path);
    expect(through, through.stderr).toMatchObject({ code: 0 });
    expect(through.stdout + through.stderr).not.toContain(MAIL);
    expect(through.stdout + through.stderr).toContain('***');
  });

  it('copies files without values as they are, breaks texts with some, and none where rules forbid it', async () => {
    const [sent, back] = ['sent', 'back'].map((name) => join(directory, `${name}${path.slice(-2)}`)) as [
      string,
      string,
    ];
    const copies = async (text: string) => {
      writeFileSync(sent, text);
      const up = await at.kubectl(['cp', sent, 'box:/w/sent'], {}, path);
      expect(up, up.stderr).toMatchObject({ code: 0 });
      return at.kubectl(['cp', 'box:/w/sent', back], {}, path);
    };
    const whole = await copies(`nobody at all\n${'x'.repeat(100_000)}\n`);
    expect(whole, whole.stderr).toMatchObject({ code: 0 });
    expect(readFileSync(back)).toEqual(readFileSync(sent));
    expect((await copies(`${MAIL}\n${'x'.repeat(100_000)}\n`)).code).toBe(1);
    expect(readFileSync(back, 'utf8')).not.toContain(MAIL);
    const denied = await at.kubectl(['cp', 'box:/w/index.html', back, '-c', 'kept'], {}, path);
    expect(denied).toMatchObject({ code: 1, stderr: expect.stringContaining('rule "no-copies"') });
  });

  it('forwards a port as it is', async () => {
    const env = { ...process.env, KUBECONFIG: at.kubeconfig, HOME: at.gateway.dir };
    const child = spawn(path, ['-n', at.namespace, 'port-forward', 'box', ':8080'], { env, stdio: 'pipe' });
    let said = '';
    child.stdout.on('data', (text) => (said += text));
    const port = () => /127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    try {
      await eventually('it listens', port, (one) => one !== undefined);
      expect(await (await fetch(`http://127.0.0.1:${port()}/`)).text()).toContain(MAIL);
    } finally {
      child.kill();
      await once(child, 'close');
    }
  });

  describe('an editor', () => {
    const name = `db-${path.slice(-2)}`;
    const value = () => at.admin(['get', 'secret', name, '-o', 'jsonpath={.data.password}']);
    const edit = async (script: string) => {
      const editor = join(directory, 'editor');
      writeFileSync(editor, `#!/bin/sh\n${script}\n`);
      chmodSync(editor, 0o755);
      return at.kubectl(['edit', 'secret', name], { env: { EDITOR: editor } }, path);
    };
    const REAL = Buffer.from('correct-horse').toString('base64');

    beforeAll(async () => {
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name },
        stringData: { password: 'correct-horse' },
      };
      await at.admin(['apply', '-f', '-'], JSON.stringify(secret));
    });

    it('is shown the mask, and changes what is beside it', async () => {
      const copy = join(directory, 'shown');
      const edited = await edit(
        `cp "$1" ${copy}; sed -i 's/^type: Opaque/type: Opaque\\nimmutable: false/' "$1"`,
      );
      expect(edited, edited.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('edited') });
      expect(readFileSync(copy, 'utf8')).toContain('password: Kioq');
      expect(readFileSync(copy, 'utf8')).not.toContain(REAL);
      expect(await value()).toBe(REAL);
    });

    it('that takes a mask elsewhere is refused with what to do, and the value stays', async () => {
      const { code, stdout, stderr } = await edit(
        `sed -i 's/^  password: Kioq/  password: Kioq\\n  copied: Kioq/' "$1"`,
      );
      expect(code).toBe(1);
      expect(stdout + stderr).toContain('holds the mask of a value');
      expect(await value()).toBe(REAL);
      expect(await at.admin(['get', 'secret', name, '-o', 'yaml'])).not.toContain('copied');
    });
  });
});
