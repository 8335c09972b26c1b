import { HoopError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { HTTP_VOCABULARY } from '../../policy/vocabulary/http.ts';
import type { ConfiguredResource, Protocol } from '../protocol.ts';
import { targetAddresses } from '../stream/addresses.ts';
import { replayed } from '../stream/replay.ts';
import { createHttpAdapter } from './adapter.ts';
import { type HttpConfig, httpConfig } from './config.ts';
import {
  configuredCredential,
  credentialSecrets,
  MTLS_CERT,
  MTLS_KEY,
  secondWays,
} from './credentials/index.ts';
import { HTTP_LIMITS } from './limits.ts';
import { HTTP_REFUSALS } from './refusals.ts';
import { ApiRules } from './relay/api-rules.ts';
import { problem } from './relay/problem.ts';
import { websockets } from './relay/upgrade/websocket/carried.ts';
import { OpenApi } from './request/openapi/openapi.ts';
import { classifiedResults } from './rpc/classified-results.ts';
import { RpcRoutes } from './rpc/routes.ts';
import { classification, classifiedObjects } from './shown/classification.ts';
import { httpTarget } from './target/node-target.ts';
import type { Patience } from './target/patience.ts';

const CA_FILE = ['target', 'caFile'];
const OPENAPI = ['api', 'openapi'];

/** HTTP APIs as the gateway sees them. */
export const http: Protocol<HttpConfig> = {
  name: 'http',
  vocabulary: HTTP_VOCABULARY,
  refusals: HTTP_REFUSALS,
  session: 'tunnel',
  localProof: 'bearer-sha256',
  config: httpConfig,
  secrets: ({ credentials }) => credentialSecrets(credentials),
  authorities: ({ target: { caFile }, credentials: { mtls } }) => [
    ...(caFile === undefined ? [] : [{ path: CA_FILE, file: caFile }]),
    ...(mtls === undefined ? [] : [{ path: MTLS_CERT, file: mtls.certFile }]),
  ],
  documents: ({ api: { openapi: file } }) =>
    file === undefined ? [] : [{ path: OPENAPI, file, mistake: openApiMistake }],
  check({ target, credentials }, complain) {
    const plain = target.url.origin.startsWith('http:');
    if (target.caFile !== undefined && plain)
      complain(CA_FILE, 'stands beside a URL without TLS', 'write https in the URL, or remove it');
    if (credentials.mtls !== undefined && plain)
      complain(
        ['credentials', 'mtls'],
        'stands beside a URL without TLS',
        'write https in the URL, or remove it',
      );
    for (const way of secondWays(credentials))
      complain(['credentials', way], 'is a second way beside another', 'remove all but one');
  },
  describe: ({ config, object }) => ({
    connect: {},
    classified: [
      ...classifiedObjects(classification(object, config.classification)),
      ...classifiedResults(object, config.classification.results).map((one) => one.object),
    ],
  }),
  shared: () => ({ close: async () => undefined }),
  create: (resource, _shared, { detectors, clock, log, turns }) => {
    const { target, credentials, api } = resource.config;
    const ca = resource.authority(CA_FILE);
    const credential = configuredCredential(resource, ca, { clock, log });
    return createHttpAdapter({
      target: httpTarget({
        place: target.url,
        version: target.version,
        ca,
        credential,
        addresses: targetAddresses(target.addresses),
        patience: patienceOf(target),
        ...(credentials.mtls === undefined ? {} : { certificate: () => certificateOf(resource) }),
      }),
      rules: credential.rules,
      place: target.url,
      upgrades: new Map(target.upgrades.map((name) => [name, websockets(turns)])),
      says: problem,
      api: new ApiRules(openApiOf(resource), target.url.base, api.fields),
      rpc: {
        routes: new RpcRoutes(api),
        classified: classifiedResults(resource.object, resource.config.classification.results),
        sessions: new WeakMap(),
      },
      classification: classification(resource.object, resource.config.classification),
      pseudonyms: true,
      detectors,
    });
  },
  replay: (items) => replayed(items),
};

function openApiMistake(text: string) {
  const read = OpenApi.read(text);
  if ('api' in read) return undefined;
  const { line, at, problem, cure } = read.mistake;
  return { problem: `${line === undefined ? '' : `:${line}`}: ${at === '' ? '' : `${at} `}${problem}`, cure };
}

/** @throws {HoopError} `ERR_CONFIG` it is no OpenAPI file any more. */
function openApiOf(resource: ConfiguredResource<HttpConfig>): OpenApi | undefined {
  const text = resource.document(OPENAPI);
  if (text === undefined) return undefined;
  const read = OpenApi.read(text);
  if ('api' in read) return read.api;
  throw new HoopError('ERR_CONFIG', read.mistake.problem);
}

function patienceOf({ answer: answerMs }: HttpConfig['target']): Patience {
  const { targetHeadMs: headMs, earlyHeads: early } = HTTP_LIMITS;
  return { connectMs: LIMITS.targetConnectMs, answerMs, headMs, early };
}

/** The gateway's own, as it is now. */
function certificateOf(resource: ConfiguredResource<HttpConfig>) {
  return { cert: resource.authority(MTLS_CERT) ?? '', key: resource.secret(MTLS_KEY).expose() };
}
