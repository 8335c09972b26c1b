/**
 * What clients of Kubernetes are told so that they go through the tunnel: a kubeconfig with a context for each cluster.
 */
import { readFileSync } from 'node:fs';
import { askAhead } from '../../../client/local/http/asking.ts';
import { localKubernetes, problemInStatus } from '../../../client/local/kubernetes/index.ts';
import { HoopError } from '../../../core/errors.ts';
import { shellQuote } from '../../render/text.ts';
import type { ClientHalf, LocalEnd } from './half.ts';

const FILE = 'kubeconfig';

export const kubernetes: ClientHalf = {
  local: localKubernetes,
  removes: [],
  askAhead: (remote, _resource, question) => askAhead(remote, question, problemInStatus),
  prepare(ends, files) {
    const config = files.write(FILE, `${JSON.stringify(kubeconfig(ends), undefined, 2)}\n`);
    return {
      variables: { KUBECONFIG: config },
      url: urlOf,
      steps: (end) => [
        `kubectl --kubeconfig ${shellQuote(config)} --context ${shellQuote(end.resource.name)} get pods`,
      ],
      facts: (end) => ({
        url: urlOf(end),
        kubeconfig: config,
        context: end.resource.name,
        ...(end.caFile === undefined ? {} : { caFile: end.caFile }),
        ...(end.secret === undefined ? {} : { token: end.secret }),
      }),
    };
  },
};

/**
 * JSON is YAML. What is in it lets nobody in who is not on this machine, and no longer than the tunnel is open.
 *
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
function kubeconfig(ends: readonly LocalEnd[]): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': ends[0]?.resource.name ?? '',
    preferences: {},
    clusters: ends.map((end) => ({ name: end.resource.name, cluster: clusterOf(end) })),
    users: ends.map(({ resource, secret }) => ({ name: resource.name, user: { token: secret } })),
    contexts: ends.map(({ resource: { name } }) => ({ name, context: { cluster: name, user: name } })),
  };
}

function clusterOf(end: LocalEnd): object {
  const authority = readFileSync(end.caFile!).toString('base64');
  return { server: urlOf(end), 'certificate-authority-data': authority };
}

/** @throws {HoopError} `ERR_USAGE` these clients know no sockets. */
function urlOf({ address, resource }: LocalEnd): string {
  if (address.kind === 'socket')
    throw new HoopError('ERR_USAGE', `clients of ${resource.name} are told of a port, and know no sockets`, {
      hint: 'leave --socket away',
    });
  return `https://${address.host}:${address.port}`;
}
