import { LIMITS } from '../../core/limits.ts';
import type { Principal } from '../../identity/principal.ts';
import { KUBERNETES_VOCABULARY } from '../../policy/vocabulary/kubernetes.ts';
import { createHttpAdapter } from '../http/adapter.ts';
import { configuredCredential, credentialSecrets, MTLS_CERT, MTLS_KEY } from '../http/credentials/index.ts';
import { HTTP_LIMITS } from '../http/limits.ts';
import { HTTP_REFUSALS } from '../http/refusals.ts';
import { RpcRoutes } from '../http/rpc/routes.ts';
import { classifiedObjects } from '../http/shown/classification.ts';
import { httpTarget } from '../http/target/node-target.ts';
import type { Protocol } from '../protocol.ts';
import { targetAddresses } from '../stream/addresses.ts';
import { replayed } from '../stream/replay.ts';
import { type KubernetesConfig, kubernetesConfig } from './config.ts';
import { execCredential } from './exec-credential.ts';
import { impersonated } from './impersonation.ts';
import { clusterMeaning } from './meaning.ts';
import { KUBERNETES_REFUSALS } from './request/refusals.ts';
import { classifiedKinds } from './shown/kinds.ts';
import { status } from './status.ts';
import { clusterStreams } from './streams/carried.ts';

const CA_FILE = ['target', 'caFile'];

/** Clusters of Kubernetes as the gateway sees them: HTTP, of which the requests mean something of their own. */
export const kubernetes: Protocol<KubernetesConfig> = {
  name: 'kubernetes',
  vocabulary: KUBERNETES_VOCABULARY,
  refusals: { ...HTTP_REFUSALS, ...KUBERNETES_REFUSALS },
  session: 'tunnel',
  localProof: 'bearer-sha256',
  config: kubernetesConfig,
  secrets: ({ credentials }) => credentialSecrets(credentials),
  authorities: ({ target: { caFile }, credentials: { mtls } }) => [
    ...(caFile === undefined ? [] : [{ path: CA_FILE, file: caFile }]),
    ...(mtls === undefined ? [] : [{ path: MTLS_CERT, file: mtls.certFile }]),
  ],
  check({ target: { url }, credentials: { bearer, exec, mtls } }, complain) {
    if (url.origin.startsWith('http:'))
      complain(
        ['target', 'url'],
        'is a URL without TLS',
        'write the server of a kubeconfig: https://10.0.0.1:6443',
      );
    if (bearer !== undefined && exec !== undefined)
      complain(['credentials', 'exec'], 'stands beside bearer', 'remove one of the two');
    if (bearer === undefined && exec === undefined && mtls === undefined)
      complain(
        ['credentials'],
        'names no credential',
        'write {bearer: {file: token}}, {exec: {…}} or {mtls: {…}}',
      );
  },
  describe: ({ config, object }) => ({
    connect: {},
    classified: classifiedObjects(classifiedKinds(object, config.classification.kinds)),
  }),
  shared: () => ({ close: async () => undefined }),
  create: (resource, _shared, { detectors, clock, log, turns }) => {
    const { target, credentials } = resource.config;
    const ca = resource.authority(CA_FILE);
    const { impersonate, exec } = credentials;
    const { targetHeadMs: headMs, earlyHeads: early } = HTTP_LIMITS;
    const plugin =
      exec && execCredential(exec, process.env, { clock, log: log.child({ resource: resource.name }) });
    const credential = plugin ?? configuredCredential(resource, ca, { clock, log });
    const configured = () =>
      credentials.mtls && {
        cert: resource.authority(MTLS_CERT) ?? '',
        key: resource.secret(MTLS_KEY).expose(),
      };
    return createHttpAdapter(
      {
        target: httpTarget({
          place: target.url,
          ca,
          credential,
          addresses: targetAddresses(target.addresses),
          patience: { connectMs: LIMITS.targetConnectMs, answerMs: target.answer, headMs, early },
          certificate: () => plugin?.certificate() ?? configured(),
        }),
        rules: credential.rules,
        place: target.url,
        upgrades: clusterStreams(turns),
        says: status,
        api: clusterMeaning,
        ...(impersonate && { behalf: (principal: Principal) => impersonated(impersonate, principal) }),
        rpc: { routes: new RpcRoutes({ mcp: [], rpc: {} }), classified: [], sessions: new WeakMap() },
        classification: classifiedKinds(resource.object, resource.config.classification.kinds),
        detectors,
      },
      'kubernetes',
    );
  },
  replay: (items) => replayed(items),
};
