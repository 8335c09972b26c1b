import { HoopError } from '../../core/errors.ts';
import { HTTP_VOCABULARY } from '../../policy/vocabulary/http.ts';
import type { ConfiguredResource, Protocol } from '../protocol.ts';
import { replayed } from '../stream/replay.ts';
import { createHttpAdapter } from './adapter.ts';
import { type HttpConfig, httpConfig } from './config.ts';
import { classifiedFields } from './entities.ts';
import { ApiRules } from './relay/api-rules.ts';
import type { Field } from './request/fields/read-fields.ts';
import { OpenApi } from './request/openapi/openapi.ts';
import { httpTarget } from './target/node-target.ts';

const CA_FILE = ['target', 'caFile'];
const OPENAPI = ['api', 'openapi'];
const BEARER = ['credentials', 'bearer'];
const HEADER = ['credentials', 'header', 'value'];

/** HTTP APIs as the gateway sees them. */
export const http: Protocol<HttpConfig> = {
  name: 'http',
  vocabulary: HTTP_VOCABULARY,
  session: 'tunnel',
  localProof: 'bearer-sha256',
  config: httpConfig,
  secrets: ({ credentials: { bearer, header } }) => [
    ...(bearer === undefined ? [] : [{ path: BEARER, ref: bearer }]),
    ...(header === undefined ? [] : [{ path: HEADER, ref: header.value }]),
  ],
  authorities: ({ target: { caFile } }) => (caFile === undefined ? [] : [{ path: CA_FILE, file: caFile }]),
  documents: ({ api: { openapi: file } }) =>
    file === undefined ? [] : [{ path: OPENAPI, file, mistake: openApiMistake }],
  check({ target, credentials: { bearer, header } }, complain) {
    if (target.caFile !== undefined && target.url.origin.startsWith('http:'))
      complain(CA_FILE, 'stands beside a URL without TLS', 'write https in the URL, or remove it');
    if (bearer !== undefined && header !== undefined)
      complain(['credentials', 'header'], 'stands beside bearer', 'remove one of the two');
  },
  describe: ({ config, object }) => ({
    connect: {},
    classified: classifiedFields(object, config.classification.fields),
  }),
  shared: () => ({ close: async () => undefined }),
  create: (resource, _shared, { detectors }) => {
    const { target, credentials, classification, api } = resource.config;
    return createHttpAdapter({
      target: httpTarget({
        place: target.url,
        ca: resource.authority(CA_FILE),
        credential: () => credentialOf(resource),
      }),
      rules: {
        credentialHeaders: credentials.header === undefined ? [] : [credentials.header.name.toLowerCase()],
      },
      place: target.url,
      api: new ApiRules(openApiOf(resource), target.url.base, api.fields),
      classified: classifiedFields(resource.object, classification.fields),
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

/** What the target is shown, as it is now. */
function credentialOf({ config, secret }: ConfiguredResource<HttpConfig>): Field[] {
  const { bearer, header } = config.credentials;
  if (bearer !== undefined) return [['authorization', `Bearer ${secret(BEARER).expose()}`]];
  return header === undefined ? [] : [[header.name.toLowerCase(), secret(HEADER).expose()]];
}
