/** Objects that clients write in protobuf or in YAML, as the same clients would write them in JSON. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';
import { objectInProtobuf } from '../../../src/protocols/kubernetes/forms/protobuf.ts';
import { Unreadable } from '../../../src/protocols/kubernetes/forms/wire-reader.ts';
import { objectInYaml } from '../../../src/protocols/kubernetes/forms/yaml.ts';
import { clusterMeaning } from '../../../src/protocols/kubernetes/meaning.ts';

/** Of `k8s.io/api`: the same object by its own encoders in both forms, with all members that it may have. */
const FIXTURES = join(import.meta.dirname, '../../fixtures/kubernetes');
const KINDS = readdirSync(FIXTURES).flatMap((file) => /^(.*)\.pb$/.exec(file)?.[1] ?? []);
const fixture = (kind: string) => readFileSync(join(FIXTURES, `${kind}.pb`));

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const field = (number: number, value: string | Buffer) => {
  const octets = Buffer.from(value);
  return Buffer.concat([Buffer.from([(number << 3) | 2, octets.length]), octets]);
};
const object = (kind: string, raw: Buffer, ...more: Buffer[]) =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    field(1, Buffer.concat([field(1, 'v1'), field(2, kind)])),
    field(2, raw),
    ...more,
  ]);

function expectReadOrRefused(octets: Buffer, what: string): void {
  try {
    objectInProtobuf(octets);
  } catch (error) {
    expect(error, what).toBeInstanceOf(Unreadable);
  }
}

describe('protobuf', () => {
  it.each(KINDS)('%s is what its own encoder says in JSON', (kind) => {
    const said: unknown = JSON.parse(readFileSync(join(FIXTURES, `${kind}.json`), 'utf8'));
    expect(asJson(objectInProtobuf(fixture(kind)))).toEqual(said);
  });

  it.each(KINDS)(
    '%s that is cut short anywhere, or of which an octet is another, is read or refused, and nothing else',
    (kind) => {
      const octets = fixture(kind);
      const step = Math.max(1, Math.floor(octets.length / 200));
      for (let at = 0; at < octets.length; at += step) {
        expectReadOrRefused(octets.subarray(0, at), `cut at ${at}`);
        const other = Buffer.from(octets);
        other[at] = other[at]! ^ 0x55;
        expectReadOrRefused(other, `changed at ${at}`);
      }
    },
  );

  it('is read by hand', () => {
    const metadata = field(
      1,
      Buffer.concat([field(1, 'a'), field(11, Buffer.concat([field(1, 'x'), field(2, 'y')]))]),
    );
    expect(asJson(objectInProtobuf(object('ConfigMap', metadata)))).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', labels: { x: 'y' } },
    });
  });

  it.each<[what: string, octets: Buffer]>([
    ['without its magic', object('Pod', field(1, '')).subarray(4)],
    ['of a kind that nobody knows', object('Gadget', Buffer.alloc(0))],
    ['of a kind of its own machinery', object('PodSpec/../Pod', Buffer.alloc(0))],
    ['with a field that the kind has not', object('ConfigMap', field(15, 'x'))],
    [
      'with a member twice',
      object('ConfigMap', Buffer.concat([field(1, field(1, 'a')), field(1, field(1, 'b'))])),
    ],
    ['with a name twice', object('ConfigMap', field(1, Buffer.concat([field(1, 'a'), field(1, 'b')])))],
    [
      'with a key twice',
      object('ConfigMap', Buffer.concat([field(2, field(1, 'k')), field(2, field(1, 'k'))])),
    ],
    ['without an object', object('ConfigMap', Buffer.alloc(0)).subarray(0, -2)],
    ['with the object twice', object('ConfigMap', Buffer.alloc(0), field(2, ''))],
    ['in yet another form', object('ConfigMap', Buffer.alloc(0), field(4, 'application/json'))],
    ['with a text that is none', object('ConfigMap', field(1, field(1, Buffer.from([0xff]))))],
    ['with a number for a text', object('ConfigMap', field(1, Buffer.from([0x08, 0x01])))],
    ['with a fixed number', object('ConfigMap', field(1, Buffer.from([0x0d, 1, 2, 3, 4])))],
    ['with a number without an end', object('ConfigMap', field(1, Buffer.alloc(12, 0xff)))],
  ])('%s is refused', (_what, octets) => {
    expect(() => objectInProtobuf(octets)).toThrow(Unreadable);
  });

  it.each<[octets: Buffer, says: RegExp]>([
    [
      object('Gadget', Buffer.alloc(0)),
      /^the protobuf is of v1 Gadget, which k8s\.io\/api v0\.33\.\d+ does not have: /,
    ],
    [object('Gad get\n', Buffer.alloc(0)), /^the protobuf is of a kind without a name, which k8s/],
    [
      object('ConfigMap', field(15, 'x')),
      /^the protobuf has field 15 of core\.v1\.ConfigMap, which k8s\.io\/api v0\.33/,
    ],
  ])('what may be newer is told by its name, and by which version it is unknown', (octets, says) => {
    expect(() => objectInProtobuf(octets)).toThrow(says);
  });
});

describe('YAML', () => {
  it.each<[text: string, value: unknown]>([
    ['a: b\nc: [1, 2.5, true, null]\n', { a: 'b', c: [1, 2.5, true, null] }],
    ['---\nkind: Pod\nmetadata:\n  name: web\n...\n', { kind: 'Pod', metadata: { name: 'web' } }],
    ['a: "yes"\nb: |\n  x\n  y\n', { a: 'yes', b: 'x\ny\n' }],
    [
      'at: 2026-11-29T18:59:49Z\nip: 10.0.0.1\nv: v1.20.2',
      { at: '2026-11-29T18:59:49Z', ip: '10.0.0.1', v: 'v1.20.2' },
    ],
    ['{"a": 1, "<<": {"b": 2}}', { a: 1, '<<': { b: 2 } }],
    ['a: "\\x2a**"', { a: '***' }],
  ])('%j', (text, value) => {
    expect(asJson(objectInYaml(Buffer.from(text)))).toEqual(value);
  });

  it('loses no digit', () => {
    expect(JSON.stringify(objectInYaml(Buffer.from('a: 9007199254740993')))).toBe('{"a":9007199254740993}');
  });

  it.each([
    ...['a: yes', 'a: No', 'a: on', 'y: 1', 'a: 0777', 'a: 08', 'a: 0o17', 'a: 0b1', 'a: 1_000', 'a: 12:30'],
    ...[
      'a: &x 1\nb: *x',
      'a: &x 1',
      'a: !!str 1',
      'a: !!binary aGk=',
      'a: !x 1',
      '<<: {a: 1}',
      'a: =',
      'a: .inf',
    ],
    ...[
      'a: 1\na: 2',
      '1: a',
      '? {a: 1}\n: 2',
      'a: 1\n---\nb: 2',
      '%YAML 1.1\n---\na: 1',
      '',
      '[',
      '\tx: 1',
      'a: 1e400',
    ],
    `a: ${'x'.repeat(64 * 1024)}`,
    '['.repeat(20_000),
  ])('%j is refused', (text) => {
    expect(() => objectInYaml(Buffer.from(text))).toThrow(Unreadable);
  });
});

describe('a request', () => {
  const read = async (line: string, type: string, body: Buffer) => {
    const [method = '', target = ''] = line.split(' ');
    const fields = ['content-type', type, 'content-length', String(body.length)];
    const head = { method, target, httpVersion: '1.1', rawHeaders: ['host', 'localhost', ...fields] };
    const request = canonicalRequest(head, { credentialHeaders: [] });
    if (isRefused(request)) throw new Error(request.rule);
    const understood = await clusterMeaning.read(request, async () => body);
    if (isRefused(understood)) throw new Error(understood.reason);
    return understood;
  };
  const cluster = { type: 'Resource', id: 'k8s', attrs: { protocol: 'kubernetes' } };
  const POD = object('Pod', Buffer.concat([field(1, field(1, 'web')), field(2, Buffer.from([0x60, 1]))]));
  const YAML = 'metadata: {name: web}\nspec: {hostPID: true, containers: [{image: a}]}';

  it.each([
    ['protobuf', 'application/vnd.kubernetes.protobuf', POD],
    ['YAML', 'application/yaml; charset=utf-8', Buffer.from(YAML)],
  ])('in %s is decided on as JSON, and goes on as that', async (_form, type, body) => {
    const { question, becomes } = await read('POST /api/v1/namespaces/shop/pods', type, body);
    const { pairs, context } = question(cluster, (text) => text);
    expect(pairs[0]!.object.attrs).toMatchObject({ kind: 'pods', name: 'web' });
    expect(context['pod']).toMatchObject({ hostPID: true });
    const { request, body: sent } = becomes!;
    expect(request).toMatchObject({ contentType: 'application/json', body: { length: sent.length } });
    expect(request.headers).toContainEqual(['content-type', 'application/json']);
    expect(JSON.parse(sent.toString())).toMatchObject({ metadata: { name: 'web' }, spec: { hostPID: true } });
  });

  it('in JSON goes on as it is', async () => {
    const { becomes } = await read(
      'POST /api/v1/namespaces/shop/pods',
      'application/yaml',
      Buffer.from('{"metadata":{}}'),
    );
    expect(becomes).toBeUndefined();
  });

  it('that applies YAML applies JSON of it, tried first', async () => {
    const type = 'application/apply-patch+yaml';
    const { becomes, tries } = await read('PATCH /api/v1/namespaces/shop/pods/web', type, Buffer.from(YAML));
    expect(becomes?.request.contentType).toBe(type);
    expect(JSON.parse(becomes!.body.toString())).toMatchObject({ spec: { hostPID: true } });
    expect(tries).toBeDefined();
  });
});
