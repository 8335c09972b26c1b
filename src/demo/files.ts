import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { LocalCertificates } from '../core/certificates.ts';
import type { ShopHost } from './host.ts';
import { SHOP_POLICY } from './policy.ts';

/** What the configuration is made of. */
export interface DemoSettings {
  readonly directory: string;
  readonly gatewayPort: number;
  readonly certificates: LocalCertificates;
  readonly issuer: string;
  readonly clientId: string;
  readonly pageClientId: string;
  readonly database: {
    readonly port: number;
    readonly name: string;
    readonly user: string;
    readonly password: string;
  };
  readonly api: { readonly url: string; readonly token: string };
  readonly host: Pick<ShopHost, 'port' | 'hostKey' | 'user' | 'userKey'>;
  /** Cedar text instead of the demo's own. */
  readonly policy?: string;
}

/** The columns that hold personal data; what stands in free text (`note`) is left to the detectors. */
const CLASSIFICATION = {
  'public.customers.email': ['pii.email'],
  'public.customers.phone': ['pii.phone'],
  'public.customers.ssn': ['pii.national-id'],
  'public.payments.card': ['pii.card'],
};

/** The same data where the shop's API shows it: members of one customer, or of each. */
const MEMBERS = { email: ['pii.email'], phone: ['pii.phone'], ssn: ['pii.national-id'] };
const FIELDS = {
  'GET /customers/*': Object.fromEntries(Object.entries(MEMBERS).map(([name, tags]) => [`$.${name}`, tags])),
  'GET /customers': Object.fromEntries(Object.entries(MEMBERS).map(([name, tags]) => [`$[*].${name}`, tags])),
};

/**
 * Writes everything hoopd reads: `hoopd.yaml`, the policies, certificates and secrets, all readable by their owner alone.
 *
 * @returns Path of `hoopd.yaml`.
 */
export async function writeConfiguration(settings: DemoSettings): Promise<string> {
  const { directory, certificates, database, api, host } = settings;
  const at = (name: string) => join(directory, name);
  const secret = (name: string, text: string) => writeFile(at(name), text, { mode: 0o600 });
  await mkdir(at('policies'), { mode: 0o700 });
  await mkdir(at('secrets'), { mode: 0o700 });
  await secret('ca.pem', certificates.authority);
  await secret('gateway.crt', certificates.server.cert);
  await secret('secrets/gateway.key', certificates.server.key);
  await secret('secrets/seal.key', randomBytes(32).toString('hex'));
  await secret('secrets/shop-password', database.password);
  await secret('secrets/api-token', api.token);
  await secret('secrets/host-key', host.userKey);
  await secret('policies/shop.cedar', settings.policy ?? SHOP_POLICY);
  await secret('hoopd.yaml', configuration(settings));
  return at('hoopd.yaml');
}

function configuration(settings: DemoSettings): string {
  const { gatewayPort, issuer, clientId, pageClientId, database, api, host } = settings;
  const address = `127.0.0.1:${gatewayPort}`;
  const config = {
    listen: address,
    publicUrl: `https://${address}`,
    tls: { certFile: 'gateway.crt', keyFile: 'secrets/gateway.key' },
    state: 'sqlite:./state',
    recordings: 'file:./recordings',
    audit: { durability: 'process', sealKey: { file: './secrets/seal.key' } },
    issuers: [
      {
        issuer,
        audience: 'hoop-demo',
        clientId,
        web: { clientId: pageClientId },
        scope: 'openid offline_access email profile groups',
        claims: { groups: 'groups' },
        maxSession: '8h',
      },
    ],
    // Time to read, to sign in as somebody else and to type.
    approvals: { wait: '5m' },
    agents: { 'shop-copilot': { delegators: { groups: ['developers'] }, groups: ['ai-agents'] } },
    resources: {
      'pg-demo': {
        protocol: 'postgres',
        target: {
          host: '127.0.0.1',
          port: database.port,
          database: database.name,
          tls: 'verify-full',
          caFile: 'ca.pem',
        },
        credentials: { user: database.user, password: { file: './secrets/shop-password' } },
        session: { max: '8h', idle: '30m' },
        classification: { columns: CLASSIFICATION },
      },
      'api-demo': {
        protocol: 'http',
        target: { url: api.url },
        credentials: { bearer: { file: './secrets/api-token' } },
        session: { max: '8h', idle: '30m' },
        classification: { fields: FIELDS },
      },
      'host-demo': {
        protocol: 'ssh',
        target: { host: '127.0.0.1', port: host.port, hostKeys: [host.hostKey] },
        credentials: { user: host.user, key: { file: './secrets/host-key' } },
        session: { max: '8h', idle: '30m' },
      },
    },
    policies: './policies',
  };
  // To be read: no anchors, and no line folded.
  const body = stringify(config, { aliasDuplicateObjects: false, lineWidth: 0 });
  return `# Made anew at every start of the demo. Changes take effect while it runs.\n${body}`;
}
