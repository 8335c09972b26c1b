/** Tokens and certificates that a plugin gives, as plugins of kubectl do. */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import type { HttpCredential } from '../../../src/protocols/http/credentials/credential.ts';
import { execCredential, readExecCredential } from '../../../src/protocols/kubernetes/exec-credential.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const directory = mkdtempSync(join(tmpdir(), 'hoop-exec-'));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const printed = (status: object, more: object = {}) =>
  JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status, ...more });

const certificateOf = async (now: number) => (await makeLocalCertificates(['hoopd'], now)).server;
const [CERTIFICATE, OTHER, OVER] = (await Promise.all([NOW, NOW, 0].map(certificateOf))) as [
  Pair,
  Pair,
  Pair,
];
const BROKEN = '-----BEGIN CERTIFICATE-----\ncorrect-horse\n-----END CERTIFICATE-----\n';
const given = ({ cert, key }: Pair) => ({ clientCertificateData: cert, clientKeyData: key });

interface Pair {
  readonly cert: string;
  readonly key: string;
}

describe('what a plugin prints', () => {
  it.each<[what: string, text: string, lifeMs: number | undefined]>([
    ['with an end', printed({ token: 'abc', expirationTimestamp: '2026-01-01T12:05:00Z' }), 300_000],
    ['without one', printed({ token: 'abc' }), undefined],
    [
      'of an older version',
      printed({ token: 'abc' }, { apiVersion: 'client.authentication.k8s.io/v1beta1' }),
      undefined,
    ],
    ['with more', printed({ token: 'abc' }, { spec: { interactive: false } }), undefined],
  ])('%s is taken', (_what, text, lifeMs) => {
    expect(readExecCredential(text, NOW)).toEqual({ token: 'abc', certificate: undefined, lifeMs });
  });

  it('may be a certificate, which ends with what is said of it, and is asked for again where nothing is', () => {
    const certificate = CERTIFICATE;
    const read = (more: object) => readExecCredential(printed({ ...given(certificate), ...more }), NOW);
    expect(read({})).toEqual({ token: undefined, certificate, lifeMs: 300_000 });
    expect(read({ token: 'abc', expirationTimestamp: '2026-01-01T13:00:00Z' })).toEqual({
      token: 'abc',
      certificate,
      lifeMs: 3_600_000,
    });
    const late = { expirationTimestamp: '2126-01-01T12:00:00Z' };
    const end = new X509Certificate(certificate.cert).validToDate.getTime();
    expect(read(late).lifeMs).toBe(end - NOW);
  });

  it.each<[what: string, text: string]>([
    ['nothing', ''],
    ['no JSON', 'token: correct-horse'],
    ['neither token nor certificate', printed({ expirationTimestamp: '2026-01-01T12:05:00Z' })],
    ['no PEM', printed({ clientCertificateData: 'correct-horse', clientKeyData: 'correct-horse' })],
    ['a certificate without a key', printed({ clientCertificateData: CERTIFICATE.cert })],
    ['a key without a certificate', printed({ token: 'correct-horse', clientKeyData: CERTIFICATE.key })],
    ['the key of another', printed(given({ ...CERTIFICATE, key: OTHER.key }))],
    ['what is a certificate by its first line', printed(given({ ...CERTIFICATE, cert: BROKEN }))],
    ['a token of several lines', printed({ token: 'correct-horse\nx' })],
    ['another kind', printed({ token: 'correct-horse' }, { kind: 'Token' })],
    [
      'a version that is not known',
      printed({ token: 'correct-horse' }, { apiVersion: 'client.authentication.k8s.io/v1alpha1' }),
    ],
    ['a certificate that is over', printed(given(OVER))],
    ['what is over', printed({ token: 'correct-horse', expirationTimestamp: '2026-01-01T11:59:59Z' })],
  ])('%s is refused, and nothing of it is told', (_what, text) => {
    expect(() => readExecCredential(text, NOW)).toThrowError(
      expect.objectContaining({
        code: 'ERR_TARGET_CREDENTIAL',
        detail: expect.not.stringContaining('horse'),
      }),
    );
  });
});

describe('a plugin', () => {
  const file = join(directory, 'answer');
  const calls = join(directory, 'calls');
  const script = `echo "$KUBERNETES_EXEC_INFO $GIVEN $HIDDEN" >> ${calls}; cat ${file}`;
  const asked = () => readFileSync(calls, 'utf8').trim().split('\n');
  let now = NOW;
  const made = (command: readonly string[]) =>
    execCredential(
      { command, timeout: 5_000, env: ['GIVEN'] },
      { PATH: process.env['PATH'], GIVEN: 'given', HIDDEN: 'hidden' },
      { clock: { now: () => now, monotonic: () => now } as never, log: silentLog },
    );
  const shown = async (credential: HttpCredential) =>
    (await credential.show({} as never, () => new URL('https://k8s'), undefined)).headers;

  it('is asked once, told that nobody is there, and given what is named', async () => {
    writeFileSync(file, printed({ token: 'one', expirationTimestamp: '2026-01-01T13:00:00Z' }));
    const credential = made(['sh', '-c', script]);
    const all = await Promise.all([shown(credential), shown(credential), shown(credential)]);
    expect(all).toEqual(Array(3).fill([['authorization', 'Bearer one']]));
    expect(asked()).toEqual([expect.stringMatching(/^\{.*"interactive":false\}\} given$/)]);
    expect(credential.secrets()).toEqual(['one']);
  });

  it('is asked anew when its token has ended, and when the cluster does not take it', async () => {
    writeFileSync(file, printed({ token: 'one', expirationTimestamp: '2026-01-01T13:00:00Z' }));
    const credential = made(['sh', '-c', script]);
    await shown(credential);
    writeFileSync(file, printed({ token: 'two', expirationTimestamp: '2026-01-01T15:00:00Z' }));
    now = Date.parse('2026-01-01T13:00:00Z');
    expect(await shown(credential)).toEqual([['authorization', 'Bearer two']]);
    writeFileSync(file, printed({ token: 'three' }));
    credential.refused();
    expect(await shown(credential)).toEqual([['authorization', 'Bearer three']]);
  });

  it('has its certificate used until it has given another', async () => {
    writeFileSync(file, printed({ ...given(CERTIFICATE), expirationTimestamp: '2026-01-01T13:00:00Z' }));
    now = NOW;
    const credential = made(['sh', '-c', script]);
    expect(credential.certificate()).toBeUndefined();
    expect(await shown(credential)).toEqual([]);
    expect(credential.certificate()).toEqual(CERTIFICATE);
    writeFileSync(file, printed(given(OTHER)));
    credential.refused();
    expect(credential.certificate()).toEqual(CERTIFICATE);
    await shown(credential);
    expect(credential.certificate()).toEqual(OTHER);
  });

  it.each([
    ['is not there', ['/nowhere/plugin']],
    ['fails', ['sh', '-c', 'exit 3']],
    ['says too much', ['sh', '-c', 'yes | head -c 100000']],
  ])('that %s gives no credential', async (_what, command) => {
    await expect(shown(made(command))).rejects.toMatchObject({ code: 'ERR_TARGET_CREDENTIAL' });
  });
});
