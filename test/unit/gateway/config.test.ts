import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatMistake, nearest } from '../../../src/core/config/mistake.ts';
import { parseDuration } from '../../../src/core/config/shape.ts';
import { configJsonSchema } from '../../../src/gateway/config/json-schema.ts';
import { type LoadOptions, loadConfig } from '../../../src/gateway/config/load.ts';
import { parseListen } from '../../../src/gateway/config/places.ts';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';

let dir: string;

const GOOD = `listen: 0.0.0.0:7443
publicUrl: https://hoop.example.com:7443
tls: { certFile: tls.crt, keyFile: tls.key }
state: sqlite:./state
recordings: file:./recordings
audit: { durability: process, sealKey: { file: ./seal.key } }
issuers:
  - issuer: https://login.example.com
    audience: hoop
    clientId: hoopctl
agents:
  shop-copilot: { delegators: { groups: [developers] }, groups: [ai-agents] }
  ci: { match: { issuer: https://login.example.com, claims: { repository: org/shop } } }
detectors:
  employee-no: { pattern: '\\bEMP-[0-9]{6}\\b', tags: [pii.employee] }
resources:
  pg-prod:
    protocol: postgres
    target: { host: db.internal, database: shop }
    credentials: { user: hoop, password: { env: PG_PASSWORD } }
    session: { max: 8h, idle: 30m }
    classification: { columns: { public.customers.email: [pii.email] } }
policies: ./policies
`;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hoopd-config-'));
  mkdirSync(join(dir, 'policies'));
  const good = await makeLocalCertificates(['hoop.example.com'], Date.now());
  const other = await makeLocalCertificates(['elsewhere.example.com'], Date.now());
  writeFileSync(join(dir, 'tls.crt'), good.server.cert);
  writeFileSync(join(dir, 'tls.key'), good.server.key);
  writeFileSync(join(dir, 'other.crt'), other.server.cert);
  writeFileSync(join(dir, 'other.key'), other.server.key);
  writeFileSync(join(dir, 'seal.key'), Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 });
  writeFileSync(join(dir, 'short.key'), Buffer.alloc(31, 7).toString('base64'), { mode: 0o600 });
  writeFileSync(join(dir, 'former.key'), Buffer.alloc(32, 8).toString('base64'), { mode: 0o600 });
  writeFileSync(join(dir, 'open.key'), Buffer.alloc(32, 7).toString('base64'));
  chmodSync(join(dir, 'open.key'), 0o644);
  writeFileSync(join(dir, 'empty'), '');
});

const SEAL = 'sealKey: { file: ./seal.key }';
const formerly = (file: string) => change(SEAL, `${SEAL}, formerSealKeys: [{ file: ${file} }]`);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function load(text: string, options: LoadOptions = {}) {
  writeFileSync(join(dir, 'hoopd.yaml'), text);
  return loadConfig(join(dir, 'hoopd.yaml'), { env: { PG_PASSWORD: 'hunter2' }, ...options });
}

function mistakesOf(text: string, options?: LoadOptions): string[] {
  const loaded = load(text, options);
  return loaded.ok ? [] : loaded.mistakes.map(formatMistake);
}

describe('a right configuration', () => {
  it('gives absolute paths, milliseconds, defaults and wrapped secrets', () => {
    const loaded = load(GOOD);
    if (!loaded.ok) throw new Error(loaded.mistakes.map(formatMistake).join('\n'));
    const { config, materials } = loaded;
    expect(config.listen).toEqual({ host: '0.0.0.0', port: 7443 });
    expect(config.state).toBe(join(dir, 'state'));
    expect(config.resources['pg-prod']?.session).toEqual({
      max: 28_800_000,
      idle: 1_800_000,
      searchPaths: [],
      settings: [],
    });
    expect(config.resources['pg-prod']).toMatchObject({ target: { port: 5432, tls: 'verify-full' } });
    expect(config.drain).toBe(10_000);
    expect(config.limits).toEqual({
      connections: 10_000,
      connectionsPerAddress: 1000,
      sessionsPerInstance: 500,
    });
    expect(materials.sealKey?.id).toMatch(/^sk_[0-9a-f]{16}$/);
    expect(materials.secrets.get('resources.pg-prod.credentials.password')?.expose()).toBe('hunter2');
    expect(JSON.stringify([...materials.secrets, materials.tls])).not.toMatch(/hunter2|PRIVATE KEY/);
  });

  it('has webhooks whose secrets are wrapped', () => {
    const text = `${GOOD}approvals:\n  webhooks:\n    - { url: { env: HOOK_URL }, secret: { env: HOOK_KEY } }\n`;
    const env = {
      PG_PASSWORD: 'hunter2',
      HOOK_URL: 'https://hooks.test/hunter3',
      HOOK_KEY: 'hunter4'.padEnd(32, 'x'),
    };
    const loaded = load(text, { env });
    if (!loaded.ok) throw new Error(loaded.mistakes.map(formatMistake).join('\n'));
    expect(loaded.config.approvals.webhooks).toMatchObject([{ format: 'json' }]);
    expect(loaded.materials.secrets.get('approvals.webhooks.0.url')?.expose()).toBe(
      'https://hooks.test/hunter3',
    );
    expect(inspect(loaded, { depth: 9 })).not.toContain('hunter');
  });

  it('can be checked where the secrets are not', () => {
    expect(mistakesOf(GOOD, { env: {}, secrets: false })).toEqual([]);
  });
});

const change = (from: string, to: string) => {
  if (!GOOD.includes(from)) throw new Error(`no ${from} in the example`);
  return GOOD.replace(from, to);
};

describe('each mistake is one line with place, path, problem and cure', () => {
  const cases: [name: string, from: string, to: string, lines: string[]][] = [
    [
      'unknown key with a near one',
      'publicUrl',
      'publicURL',
      ['2:1: publicURL: unknown key; did you mean publicUrl?'],
    ],
    [
      'unknown key far from all',
      'state: sqlite:./state',
      'state: sqlite:./state\nfrobnicate: 1',
      [
        '5:1: frobnicate: unknown key; known here: listen, publicUrl, tls, state, recordings, audit, issuers, agents, timeZone, detectors, resources, policies, tokens, limits, approvals, drain',
      ],
    ],
    [
      'missing key',
      'policies: ./policies\n',
      '',
      ['1:1: policies: is missing; write a path such as ./policies'],
    ],
    [
      'a port that is a word',
      'host: db.internal,',
      'host: db.internal, port: abc,',
      [
        '19:40: resources.pg-prod.target.port: expected a port 1…65535, got "abc"; write a number such as 5432',
      ],
    ],
    [
      'a port out of range',
      'host: db.internal,',
      'host: db.internal, port: 65536,',
      [
        '19:40: resources.pg-prod.target.port: expected a port 1…65535, got 65536; write a number such as 5432',
      ],
    ],
    [
      'a listen address without port',
      '0.0.0.0:7443',
      '0.0.0.0',
      ['1:9: listen: expected ADDRESS:PORT, got "0.0.0.0"; write for example 0.0.0.0:7443 or "[::]:7443"'],
    ],
    [
      'a duration without unit',
      'idle: 30m',
      'idle: 30',
      [
        '21:31: resources.pg-prod.session.idle: expected a duration 1s…7d, got 30; write a number with its unit such as 30m',
      ],
    ],
    [
      'a literal password',
      '{ env: PG_PASSWORD }',
      'hunter2',
      [
        '20:42: resources.pg-prod.credentials.password: a secret must not stand in the configuration; keep it elsewhere and write {env: NAME} or {file: PATH}',
      ],
    ],
    [
      'a literal password as a number',
      '{ env: PG_PASSWORD }',
      '123456',
      [
        '20:42: resources.pg-prod.credentials.password: a secret must not stand in the configuration; keep it elsewhere and write {env: NAME} or {file: PATH}',
      ],
    ],
    [
      'a source of secrets that is not there yet',
      '{ env: PG_PASSWORD }',
      '{ exec: [vault] }',
      [
        '20:32: resources.pg-prod.credentials.password: expected exactly one of env and file; keep it elsewhere and write {env: NAME} or {file: PATH}',
        '20:44: resources.pg-prod.credentials.password.exec: unknown key; known here: env, file',
      ],
    ],
    [
      'an unset variable',
      'PG_PASSWORD',
      'PG_PASSWORT',
      [
        '20:32: resources.pg-prod.credentials.password: the environment variable PG_PASSWORT is not set; start hoopd with PG_PASSWORT set',
      ],
    ],
    [
      'an empty secret file',
      '{ env: PG_PASSWORD }',
      '{ file: empty }',
      ['20:32: resources.pg-prod.credentials.password: the secret is empty; store it anew'],
    ],
    [
      'an unknown protocol',
      'protocol: postgres',
      'protocol: mysql',
      [
        '18:15: resources.pg-prod.protocol: the protocol is missing or unknown; write protocol: postgres or http or ssh or kubernetes',
      ],
    ],
    [
      'a column name without schema',
      'public.customers.email',
      'customers.email',
      [
        '22:34: resources.pg-prod.classification.columns.customers.email: expected SCHEMA.TABLE.COLUMN; write a name such as public.customers.email',
      ],
    ],
    [
      'members of a column without schema',
      'columns: { public.customers.email: [pii.email] }',
      'fields: { customers.profile: { $.email: [pii.email] } }',
      [
        '22:33: resources.pg-prod.classification.fields.customers.profile: expected SCHEMA.TABLE.COLUMN; write a name such as public.customers.email',
      ],
    ],
    [
      'a path that is none',
      'columns: { public.customers.email: [pii.email] }',
      'fields: { public.customers.profile: { email: [pii.email], "$.a b": [pii.name] } }',
      [
        '22:61: resources.pg-prod.classification.fields.public.customers.profile.email: expected a member\'s path, got "email"; write $.email or $..ssn',
        '22:81: resources.pg-prod.classification.fields.public.customers.profile.$.a b: expected a member\'s path, got "$.a b"; write $.email or $..ssn',
      ],
    ],
    [
      'no members',
      'columns: { public.customers.email: [pii.email] }',
      'fields: { public.customers.profile: {} }',
      [
        '22:33: resources.pg-prod.classification.fields.public.customers.profile: names no member; write {"$.email": [pii.email]}',
      ],
    ],
    [
      'a column as a whole and by members',
      '{ public.customers.email: [pii.email] }',
      '{ public.customers.email: [pii.email] }, fields: { public.customers.email: { $.x: [pii.email] } }',
      [
        '22:83: resources.pg-prod.classification.fields.public.customers.email: is classified as a whole, too, by columns; remove one of the two',
      ],
    ],
    [
      'an issuer without TLS',
      'issuer: https://login.example.com\n',
      'issuer: http://login.example.com\n',
      [
        '8:13: issuers.0.issuer: expected an https URL, got "http://login.example.com"; write the issuer exactly as the provider spells it',
      ],
    ],
    [
      "an agent's unknown issuer",
      '{ match: { issuer: https://login.example.com',
      '{ match: { issuer: https://logn.example.com',
      [
        '13:26: agents.ci.match.issuer: https://logn.example.com is not among issuers; did you mean https://login.example.com?',
      ],
    ],
    [
      'an agent that matches a whole issuer',
      '{ repository: org/shop }',
      '{}',
      [
        '13:53: agents.ci.match.claims: would match every token of that issuer; write at least one CLAIM: VALUE',
      ],
    ],
    [
      'an agent that nobody can be',
      'delegators: { groups: [developers] }, ',
      '',
      [
        '12:3: agents.shop-copilot: nobody could act as this agent; write delegators: {groups: [GROUP]} or match: {issuer: URL, claims: {CLAIM: VALUE}}',
      ],
    ],
    [
      'functions beside a switch that is off',
      'session: { max: 8h, idle: 30m }',
      'freeText: { functions: [public.initials] }',
      [
        '21:17: resources.pg-prod.freeText.functions: stand beside show: any, under which all are; write show: plain',
      ],
    ],
    [
      'other state stores',
      'sqlite:./state',
      'postgres://db/hoop',
      ['4:8: state: expected sqlite:DIRECTORY, got "postgres://db/hoop"; write sqlite:./state'],
    ],
    [
      'a certificate for another name',
      'tls.crt, keyFile: tls.key',
      'other.crt, keyFile: other.key',
      [
        '3:18: tls.certFile: the certificate is not for hoop.example.com of publicUrl; get one whose names include hoop.example.com',
      ],
    ],
    [
      'a key of another certificate',
      'keyFile: tls.key',
      'keyFile: other.key',
      ["3:36: tls.keyFile: is not the certificate's key; name the two files of one pair"],
    ],
    [
      'a short seal key',
      './seal.key',
      './short.key',
      ['6:31: audit.sealKey: is not a key of 32 octets in base64 or hex; make one: openssl rand -base64 32'],
    ],
  ];

  it.each(cases)('%s', (_, from, to, lines) => {
    const got = mistakesOf(change(from, to));
    expect(got).toEqual(lines.map((line) => `hoopd.yaml:${line}`));
  });

  it('a seal key that others can read', () => {
    const [line] = mistakesOf(change('./seal.key', './open.key'));
    expect(line).toMatch(/audit\.sealKey: .*open\.key may be read by others; run chmod 600/);
    const [former] = mistakesOf(formerly('./open.key'));
    expect(former).toMatch(/audit\.formerSealKeys\.0: .*open\.key may be read by others; run chmod 600/);
  });

  it('a former seal key that is none, and one that is in force still', () => {
    expect(mistakesOf(formerly('./former.key'))).toEqual([]);
    expect(mistakesOf(formerly('./short.key'))[0]).toContain('formerSealKeys.0: is not a key of 32 octets');
    expect(mistakesOf(formerly('./seal.key'))[0]).toMatch(
      /formerSealKeys\.0: is the key of audit\.sealKey itself; name the key that it has replaced/,
    );
    const keys = Array(11).fill('{ file: ./former.key }').join(', ');
    expect(mistakesOf(change(SEAL, `${SEAL}, formerSealKeys: [${keys}]`))[0]).toContain('at most 10 keys');
  });

  it('an expression that is not linear in time, at its line', () => {
    const [line] = mistakesOf(change('\\bEMP-[0-9]{6}\\b', '(?!x)EMP'));
    expect(line).toMatch(
      /^hoopd\.yaml:15:27: detectors\.employee-no\.pattern: is not a linear-time expression/,
    );
  });

  it('broken YAML, at its line', () => {
    const [line] = mistakesOf(`${GOOD}oops: [1, 2\n`);
    expect(line).toMatch(/^hoopd\.yaml:2[45]:\d+: is not valid YAML: /);
  });

  it('a key given twice', () => {
    expect(mistakesOf(`${GOOD}policies: ./p\n`)).toEqual([
      'hoopd.yaml:24:1: policies: is there twice: the first time in line 23; keep one of them',
    ]);
    const below = GOOD.replace('    session: {', '    protocol: http\n    session: {');
    expect(mistakesOf(below)).toEqual([
      'hoopd.yaml:21:5: resources.pg-prod.protocol: is there twice: the first time in line 18; keep one of them',
    ]);
    // In one line, and below a list.
    expect(mistakesOf(GOOD.replace('{ delegators:', '{ groups: [], delegators:'))).toEqual([
      expect.stringMatching(
        /^hoopd\.yaml:12:\d+: agents\.shop-copilot\.groups: is there twice: the first time in line 12;/,
      ),
    ]);
    expect(
      mistakesOf(GOOD.replace('    audience: hoop\n', '    audience: hoop\n    audience: hoopd\n')),
    ).toEqual([
      'hoopd.yaml:10:5: issuers.0.audience: is there twice: the first time in line 9; keep one of them',
    ]);
  });

  it('many at once, in order of place', () => {
    const text = change('durability: process', 'durability: fast')
      .replace('8h', '8y')
      .replace('clientId', 'client');
    expect(mistakesOf(text).map((line) => line.split(': ')[1])).toEqual([
      'audit.durability',
      'issuers.0.client',
      'resources.pg-prod.session.max',
    ]);
  });

  it('never repeats what stands where a secret belongs', () => {
    for (const bad of ['hunter2', '[hunter2]', '{ file: hunter2, env: hunter2 }', '{ env: "hunter2 !" }']) {
      const lines = mistakesOf(change('{ env: PG_PASSWORD }', bad));
      expect(lines).not.toEqual([]);
      expect(lines.join('\n')).not.toContain('hunter2');
    }
  });

  it.each([
    [
      'http://hooks.test/hunter2',
      'url: expected an https URL; write an https URL, or {env: NAME} or {file: PATH} that holds one',
    ],
    ['{ env: HTTP_URL }', 'url: holds no https URL; store the address that the receiver gave'],
    [
      'https://hooks.test/hunter2, secret: { env: PG_PASSWORD }',
      'secret: is not a key of 24…64 octets in base64; make one: echo whsec_$(openssl rand -base64 32)',
    ],
    [
      'https://hooks.test/hunter2, secret: hunter2',
      'secret: a secret must not stand in the configuration; keep it elsewhere and write {env: NAME} or {file: PATH}',
    ],
    [
      'https://hooks.test/hunter2, format: teams',
      'format: expected json or slack, got "teams"; write format: json',
    ],
    ['https://hooks.test/hunter2', ' would not be signed; write secret: {env: NAME} or {file: PATH}'],
  ])('a webhook %s', (entry, line) => {
    const format = /format|secret: {0,1}\{|^https:\S+$/.test(entry) ? '' : ', format: slack';
    const text = `${GOOD}approvals:\n  webhooks:\n    - { url: ${entry}${format} }\n`;
    const env = { PG_PASSWORD: 'hunter2', HTTP_URL: 'http://hooks.test/hunter2' };
    const got = mistakesOf(text, { env });
    expect(got).toHaveLength(1);
    expect(got[0]).toMatch(/^hoopd\.yaml:26:\d+: approvals\.webhooks\.0/);
    expect(got[0]!.replace(/^\S+ approvals\.webhooks\.0[.:]/, '')).toBe(line);
    expect(got[0]).not.toContain('hunter2');
  });

  it('a file that is not there', () => {
    const loaded = loadConfig(join(dir, 'nothing.yaml'));
    expect(loaded.ok ? [] : loaded.mistakes.map(formatMistake)).toEqual([
      `${join(dir, 'nothing.yaml')}:1:1: cannot be read (ENOENT); name it with --config, or make one with \`hoopd init\``,
    ]);
  });

  it('a directory in its place', () => {
    const loaded = loadConfig(dir);
    expect(loaded.ok ? [] : loaded.mistakes.map(formatMistake)).toEqual([
      `${dir}:1:1: cannot be read (EISDIR); it is a directory: name the file in it, such as ${join(dir, 'hoopd.yaml')}`,
    ]);
  });

  it('a text that is no YAML is told once, whatever the parser finds behind it', () => {
    const file = join(dir, 'shifted.yaml');
    writeFileSync(file, '  listen: 127.0.0.1:7443\npublicUrl: https://x\ntls:\n  certFile: a\n');
    const loaded = loadConfig(file);
    expect(loaded.ok ? [] : loaded.mistakes).toHaveLength(1);
  });

  it.each(['', '[]', '5', '&a [*a]', '---\n---\n', '\0', 'listen: *x', '? [a]\n: b'])(
    'hostile text %j',
    (text) => {
      expect(mistakesOf(text).length).toBeGreaterThan(0);
    },
  );
});

describe('values', () => {
  it.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['500ms', 500],
    ['', undefined],
    ['30', undefined],
    ['-1s', undefined],
    ['1 h', undefined],
    ['99999999999999999999d', undefined],
  ])('duration %j', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    ['[::1]:443', { host: '::1', port: 443 }],
    [':7443', { host: '::', port: 7443 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['localhost:65536', undefined],
    ['::1:443', undefined],
  ])('address %j', (text, address) => expect(parseListen(text)).toEqual(address));

  it('the nearest word is near, or none', () => {
    expect(nearest('polices', ['policies', 'resources'])).toBe('policies');
    expect(nearest('zzz', ['policies', 'resources'])).toBeUndefined();
  });
});

describe('the published schema', () => {
  it('is docs/hoopd.schema.json (write it anew with `node bin/hoopd.js check --schema`)', () => {
    const published = JSON.parse(readFileSync('docs/hoopd.schema.json', 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
  });
});
