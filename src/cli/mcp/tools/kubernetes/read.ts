/**
 * Reading of a cluster as kubectl does it: kinds in short, lists as the tables that the API server makes for people.
 */
import { z } from 'zod';
import { HoopError } from '../../../../core/errors.ts';
import type { NextStep } from '../../../../core/next-step.ts';
import type { GatewayDesk } from '../../desk.ts';
import { RESOURCE } from '../../operation.ts';
import { Refused, stepOf } from '../../refusal.ts';
import { tool } from '../../tool.ts';
import { DATA, shownName, shownText, textOf } from '../../words.ts';
import type { HttpRequest } from '../http/operation.ts';
import { exchanged } from '../http/request.ts';

const GROUPS: Readonly<Record<string, string>> = {
  pods: 'v1',
  services: 'v1',
  configmaps: 'v1',
  secrets: 'v1',
  nodes: 'v1',
  namespaces: 'v1',
  events: 'v1',
  endpoints: 'v1',
  persistentvolumes: 'v1',
  persistentvolumeclaims: 'v1',
  serviceaccounts: 'v1',
  deployments: 'apps/v1',
  replicasets: 'apps/v1',
  statefulsets: 'apps/v1',
  daemonsets: 'apps/v1',
  jobs: 'batch/v1',
  cronjobs: 'batch/v1',
  ingresses: 'networking.k8s.io/v1',
  networkpolicies: 'networking.k8s.io/v1',
};

const LIST_BYTES = 1024 * 1024;
const OBJECT_BYTES = 256 * 1024;
const LOG_BYTES = 128 * 1024;
const CELL_CHARS = 1_024;

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const KIND = z
  .string()
  .regex(/^[a-z][a-z0-9]{0,62}$/)
  .describe(`In the plural, lower case: ${Object.keys(GROUPS).join(', ')}; others with api_version.`);
const API_VERSION = z
  .string()
  .regex(/^([a-z0-9.-]{1,253}\/)?v[a-z0-9]{1,30}$/)
  .optional()
  .describe('Group and version of a kind that is not in that list: example.com/v1.');
const NAMESPACE = z.string().regex(NAME);

export const kubernetesList = tool({
  name: 'kubernetes_list',
  title: 'List Kubernetes objects',
  description:
    'Lists objects of one kind, as the table that kubectl get shows. Without namespace: of all namespaces.',
  input: z.strictObject({
    resource: RESOURCE,
    kind: KIND,
    api_version: API_VERSION,
    namespace: NAMESPACE.optional(),
    label_selector: z.string().max(1_024).optional().describe('app=shop,tier!=cache'),
    limit: z.int().min(1).max(500).optional().describe('Objects that are given, default 100.'),
  }),
  output: z.object({
    untrusted: z.string(),
    columns: z.array(z.string()),
    rows: z.array(z.array(z.string())),
    more: z.boolean().optional(),
  }),
  protocol: 'kubernetes',
  does: reads,
  outside: true,
  async run({ resource, kind, api_version, namespace, label_selector, limit = 100 }, { desk, signal }) {
    const query = new URLSearchParams({
      limit: String(limit),
      ...(label_selector === undefined ? {} : { labelSelector: label_selector }),
    });
    const path = `${pathOf(kind, api_version, namespace)}?${query}`;
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io, application/json';
    const body = await read(desk, resource, { path, headers: { accept } }, LIST_BYTES, signal);
    return { untrusted: DATA, ...shownTable(objectIn(body), namespace === undefined) };
  },
});

export const kubernetesGet = tool({
  name: 'kubernetes_get',
  title: 'Get a Kubernetes object',
  description: 'Gives one object as JSON, without the fields that only the API server keeps for itself.',
  input: z.strictObject({
    resource: RESOURCE,
    kind: KIND,
    api_version: API_VERSION,
    namespace: NAMESPACE.optional().describe('Absent: the kind has none.'),
    name: z.string().regex(NAME),
  }),
  output: z.object({ untrusted: z.string(), object: z.string().describe('JSON.') }),
  protocol: 'kubernetes',
  does: reads,
  outside: true,
  async run({ resource, kind, api_version, namespace, name }, { desk, signal }) {
    const path = `${pathOf(kind, api_version, namespace)}/${name}`;
    const object = objectIn(await read(desk, resource, { path }, OBJECT_BYTES, signal));
    const metadata = recordIn(object['metadata']);
    const { managedFields: _, ...kept } = metadata;
    const text = JSON.stringify({ ...object, ...('metadata' in object ? { metadata: kept } : {}) }, null, 1);
    return { untrusted: DATA, object: shownText(text, OBJECT_BYTES) };
  },
});

export const kubernetesLogs = tool({
  name: 'kubernetes_logs',
  title: 'Read the log of a pod',
  description: 'Gives the last lines of the log of a pod.',
  input: z.strictObject({
    resource: RESOURCE,
    namespace: NAMESPACE,
    pod: z.string().regex(NAME),
    container: z.string().regex(NAME).optional(),
    previous: z.boolean().optional().describe('Of the container that ran before the last restart.'),
    lines: z.int().min(1).max(2_000).optional().describe('Default 200.'),
  }),
  output: z.object({ untrusted: z.string(), log: z.string() }),
  protocol: 'kubernetes',
  does: reads,
  outside: true,
  async run({ resource, namespace, pod, container, previous, lines = 200 }, { desk, signal }) {
    const query = new URLSearchParams({
      tailLines: String(lines),
      limitBytes: String(LOG_BYTES),
      ...(container === undefined ? {} : { container }),
      ...(previous === true ? { previous: 'true' } : {}),
    });
    const path = `${pathOf('pods', undefined, namespace)}/${pod}/log?${query}`;
    const body = await read(desk, resource, { path, headers: { accept: '*/*' } }, LOG_BYTES, signal);
    return { untrusted: DATA, log: shownText(textOf(body) ?? body.toString('latin1'), LOG_BYTES) };
  },
});

/** Pure. @throws {HoopError} `ERR_USAGE` the kind is none that has its group here. */
export function pathOf(kind: string, apiVersion: string | undefined, namespace: string | undefined): string {
  const version = apiVersion ?? GROUPS[kind];
  if (version === undefined)
    throw new HoopError('ERR_USAGE', `${kind} is none of the kinds whose group is known here`, {
      hint: 'name its group and version in api_version, and the kind in the plural and in lower case',
    });
  const root = version.includes('/') ? `/apis/${version}` : `/api/${version}`;
  return `${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${kind}`;
}

/** @throws {Refused} Policy does not permit it, or the API server answers with something else than the object. */
async function read(
  desk: GatewayDesk,
  resource: string,
  request: Pick<HttpRequest, 'path' | 'headers'>,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  await desk.resource(resource, 'kubernetes');
  const { status, body, cut } = await exchanged(
    desk,
    resource,
    { ...request, method: 'GET' },
    maxBytes,
    signal,
  );
  if (status !== 200) throw new Refused(failure(status, body));
  if (!cut) return body;
  throw new HoopError('ERR_TOO_LARGE', `the answer is longer than ${maxBytes} octets`, {
    hint: 'ask for less: a namespace, a label_selector, a smaller limit, fewer lines',
  });
}

/** An operation is a request's first line. */
function reads(operation: string): boolean {
  return operation.startsWith('GET ');
}

/** What follows an API server's own answer: a kind, name or selector that it does not have or cannot read, and what it is too busy for. */
const STEPS: Readonly<Record<number, NextStep>> = {
  400: 'correct',
  404: 'correct',
  410: 'again',
  429: 'again',
};

function failure(status: number, body: Buffer) {
  const said = textOf(body) ?? '';
  const { message } = objectIn(body);
  return {
    status: String(status),
    message: shownText(typeof message === 'string' ? message : said, 2_000),
    ...stepOf(STEPS[status] ?? (status >= 500 ? 'again' : 'report')),
    untrusted: DATA,
  };
}

/** What `meta.k8s.io/v1` calls a Table; a list that is none gives names alone. Pure. */
export function shownTable(value: Readonly<Record<string, unknown>>, withNamespace: boolean) {
  const definitions = listIn(value['columnDefinitions']).map(recordIn);
  const kept = definitions.flatMap(({ priority }, at) => (priority === 0 ? [at] : []));
  const titles = kept.map((at) => shownName(String(definitions[at]?.['name'])));
  const rows = listIn(value['rows'] ?? value['items']).map(recordIn);
  const shown = rows.map((row) => {
    const metadata = recordIn(recordIn(row['object'] ?? row)['metadata']);
    const cells = listIn(row['cells']);
    const texts = kept.map((at) => shownText(String(cells[at] ?? ''), CELL_CHARS));
    const name = definitions.length === 0 ? [shownName(String(metadata['name'] ?? ''))] : [];
    return [...(withNamespace ? [shownName(String(metadata['namespace'] ?? ''))] : []), ...name, ...texts];
  });
  const more = recordIn(value['metadata'])['continue'];
  return {
    columns: [
      ...(withNamespace ? ['Namespace'] : []),
      ...(definitions.length === 0 ? ['Name'] : []),
      ...titles,
    ],
    rows: shown,
    ...(typeof more === 'string' && more !== '' ? { more: true } : {}),
  };
}

function objectIn(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    return recordIn(JSON.parse(body.toString('utf8')));
  } catch {
    return {};
  }
}

function recordIn(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
