import { describe, expect, it } from 'vitest';
import type { Pair } from '../../../src/policy/model.ts';
import { canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';
import { clusterMeaning } from '../../../src/protocols/kubernetes/meaning.ts';

const cluster = { type: 'Resource', id: 'k8s', attrs: { protocol: 'kubernetes' } };
const clean = (text: string) => text.replaceAll('secret-name', '***');
const never = () => Promise.reject(new Error('no body is read'));

function read(line: string, ...fields: string[]) {
  const [method = '', target = ''] = line.split(' ');
  const head = { method, target, httpVersion: '1.1', rawHeaders: ['host', 'localhost', ...fields] };
  const request = canonicalRequest(head, { credentialHeaders: [] });
  if (isRefused(request)) return request;
  const understood = clusterMeaning.read(request, never);
  if (understood instanceof Promise) throw new Error('it was not read at once');
  return understood;
}

/** Its verb and object, or the rule by which it is refused. */
function asked(line: string): string {
  const understood = read(line);
  if (isRefused(understood)) return `! ${understood.rule}`;
  const { pairs } = understood.question(cluster, clean);
  return pairs.map(({ action, object }) => `${action} ${object.type} ${object.id}`).join(', ');
}

const POD = '/api/v1/namespaces/shop/pods/web-1';

describe('what a request to a cluster asks', () => {
  it.each([
    [`GET ${POD}`, 'k8s.get KubernetesObject k8s/shop/pods/web-1'],
    [`HEAD ${POD}`, 'k8s.get KubernetesObject k8s/shop/pods/web-1'],
    ['GET /api/v1/namespaces/shop/pods', 'k8s.list KubernetesObject k8s/shop/pods'],
    ['GET /api/v1/pods', 'k8s.list KubernetesObject k8s/-/pods'],
    ['GET /api/v1/namespaces/shop/pods?watch=true', 'k8s.watch KubernetesObject k8s/shop/pods'],
    ['GET /api/v1/namespaces/shop/pods?watch=1', 'k8s.watch KubernetesObject k8s/shop/pods'],
    ['GET /api/v1/namespaces/shop/pods?watch=false', 'k8s.list KubernetesObject k8s/shop/pods'],
    [
      'GET /apis/apps/v1/namespaces/shop/deployments/web',
      'k8s.get KubernetesObject k8s/shop/deployments.apps/web',
    ],
    [
      'POST /apis/apps/v1/namespaces/shop/deployments',
      'k8s.create KubernetesObject k8s/shop/deployments.apps',
    ],
    [
      'PATCH /apis/apps/v1/namespaces/shop/deployments/web/scale',
      'k8s.patch Subresource k8s/shop/deployments.apps/web/scale',
    ],
    [`PUT ${POD}/status`, 'k8s.update Subresource k8s/shop/pods/web-1/status'],
    [`DELETE ${POD}`, 'k8s.delete KubernetesObject k8s/shop/pods/web-1'],
    ['DELETE /api/v1/namespaces/shop/pods', 'k8s.deletecollection KubernetesObject k8s/shop/pods'],
    [`GET ${POD}/log?follow=true`, 'k8s.logs Subresource k8s/shop/pods/web-1/log'],
    [`POST ${POD}/exec?command=ls&command=-l`, 'k8s.exec Subresource k8s/shop/pods/web-1/exec'],
    [`GET ${POD}/exec?command=ls`, 'k8s.exec Subresource k8s/shop/pods/web-1/exec'],
    [`GET ${POD}/attach`, 'k8s.attach Subresource k8s/shop/pods/web-1/attach'],
    [`POST ${POD}/portforward`, 'k8s.port-forward Subresource k8s/shop/pods/web-1/portforward'],
    [`PATCH ${POD}/ephemeralcontainers`, 'k8s.debug Subresource k8s/shop/pods/web-1/ephemeralcontainers'],
    [`POST ${POD}/eviction`, 'k8s.evict Subresource k8s/shop/pods/web-1/eviction'],
    [`POST ${POD}/binding`, 'k8s.create Subresource k8s/shop/pods/web-1/binding'],
    [
      'POST /api/v1/namespaces/shop/serviceaccounts/ci/token',
      'k8s.token Subresource k8s/shop/serviceaccounts/ci/token',
    ],
    [
      'GET /api/v1/namespaces/shop/pods/web-1:8080/proxy/admin/',
      'k8s.proxy Subresource k8s/shop/pods/web-1/proxy',
    ],
    [
      'GET /api/v1/namespaces/shop/services/https:web:443/proxy/',
      'k8s.proxy Subresource k8s/shop/services/web/proxy',
    ],
    ['GET /api/v1/nodes/n1/proxy/exec/shop/web-1/c', 'k8s.proxy Subresource k8s/-/nodes/n1/proxy'],
    ['GET /api/v1/nodes/n1:10250/proxy/run/', 'k8s.proxy Subresource k8s/-/nodes/n1/proxy'],
    ['GET /api/v1/namespaces', 'k8s.list KubernetesObject k8s/-/namespaces'],
    ['GET /api/v1/namespaces/shop', 'k8s.get KubernetesObject k8s/shop/namespaces/shop'],
    ['PUT /api/v1/namespaces/shop/finalize', 'k8s.update Subresource k8s/shop/namespaces/shop/finalize'],
    ['GET /api/v1/namespaces/shop/status', 'k8s.get Subresource k8s/shop/namespaces/shop/status'],
    ['GET /api/v1/namespaces/shop/finalizers', 'k8s.list KubernetesObject k8s/shop/finalizers'],
    [
      'GET /apis/rbac.authorization.k8s.io/v1/clusterroles/system:node',
      'k8s.get KubernetesObject k8s/-/clusterroles.rbac.authorization.k8s.io/system:node',
    ],
    ['GET /api', 'k8s.discover NonResource k8s/api'],
    ['GET /apis/', 'k8s.discover NonResource k8s/apis'],
    ['GET /apis/apps/v1', 'k8s.discover NonResource k8s/apis/apps/v1'],
    ['GET /openapi/v3/apis/apps/v1', 'k8s.discover NonResource k8s/openapi/v3/apis/apps/v1'],
    ['GET /version', 'k8s.discover NonResource k8s/version'],
    ['GET /', 'k8s.discover NonResource k8s/'],
    ['GET /metrics', 'k8s.raw NonResource k8s/metrics'],
    ['GET /debug/pprof/', 'k8s.raw NonResource k8s/debug/pprof'],
    ['GET /logs/kube-apiserver.log', 'k8s.raw NonResource k8s/logs/kube-apiserver.log'],
  ])('%s: %s', (line, expected) => {
    expect(asked(line)).toBe(expected);
  });

  it('has the parts of its address as attributes, and lies in its namespace', () => {
    const understood = read(
      'PATCH /apis/apps/v1/namespaces/shop/deployments/web/scale?dryRun=All',
      'content-type',
      'application/merge-patch+json',
      'content-length',
      '2',
    );
    if (isRefused(understood)) throw new Error(understood.reason);
    const { pairs, context, text } = understood.question(cluster, clean);
    const attrs = { group: 'apps', kind: 'deployments', namespace: 'shop', name: 'web' };
    expect(pairs[0]!.object).toMatchObject({
      attrs: { ...attrs, subresource: 'scale' },
      parent: {
        type: 'KubernetesObject',
        attrs,
        parent: { type: 'Namespace', id: 'k8s/shop', parent: cluster },
      },
    });
    expect(context).toEqual({
      dryRun: true,
      fieldSelector: '',
      labelSelector: '',
      contentType: 'application/merge-patch+json',
    });
    expect(text).toBe('patch deployments.apps/web/scale in shop');
  });

  it('is told without what detectors find; rules meet it as it is', () => {
    const understood = read('GET /api/v1/namespaces/shop/configmaps/secret-name');
    if (isRefused(understood)) throw new Error(understood.reason);
    const { pairs, text } = understood.question(cluster, clean);
    expect(text).toBe('get configmaps/*** in shop');
    expect(pairs[0]!.object).toMatchObject({
      id: 'k8s/shop/configmaps/secret-name',
      shownId: 'k8s/shop/configmaps/***',
      attrs: { name: 'secret-name' },
    });
  });

  it('is told without what detectors find in a namespace', () => {
    const understood = read('GET /api/v1/namespaces/secret-name/pods');
    if (isRefused(understood)) throw new Error(understood.reason);
    const [{ object }] = understood.question(cluster, clean).pairs as [Pair];
    expect(object).toMatchObject({ id: 'k8s/secret-name/pods', shownId: 'k8s/***/pods' });
    expect(object.parent).toMatchObject({ id: 'k8s/secret-name', shownId: 'k8s/***' });
  });

  it('is told even where detectors find too much', () => {
    const understood = read('GET /api/v1/namespaces/shop/pods/web-1');
    if (isRefused(understood)) throw new Error(understood.reason);
    const fails = () => {
      throw new Error('too much');
    };
    expect(understood.question(cluster, fails)).toMatchObject({
      text: '‹withheld›',
      pairs: [{ object: { id: 'k8s/shop/pods/web-1', shownId: 'k8s/‹withheld›/pods/‹withheld›' } }],
    });
  });

  it('is the same for the same, and another where anything differs that rules may look at', () => {
    const alike = (line: string, ...fields: string[]) => {
      const understood = read(line, ...fields);
      return isRefused(understood) ? undefined : understood.alike;
    };
    const first = alike(`GET ${POD}`);
    expect(alike(`GET ${POD}`, 'x-request-id', '1')).toBe(first);
    const others = [alike(`HEAD ${POD}`), alike(`GET ${POD}/log`), alike(`GET ${POD}?dryRun=All`)];
    const typed = alike(`GET ${POD}`, 'content-type', 'text/plain');
    expect(new Set([first, ...others, typed]).size).toBe(5);
  });
});

describe('what no cluster is asked', () => {
  it.each([
    ['GET /api/v1/watch/namespaces/shop/secrets', 'k8s-shape'],
    ['GET /api/v1/proxy/namespaces/shop/pods/web-1', 'k8s-shape'],
    ['GET /api/v1/redirect/namespaces/shop/pods/web-1', 'k8s-shape'],
    ['GET /API/v1/secrets', 'k8s-shape'],
    ['GET /Apis/apps/v1/deployments', 'k8s-shape'],
    ['GET /api/V1/secrets', 'k8s-shape'],
    ['GET /api/v01/secrets', 'k8s-shape'],
    ['GET /api/v1/Secrets', 'k8s-shape'],
    ['GET /api/v1/secrets/', 'k8s-shape'],
    ['GET /api/v1/namespaces/shop/secrets/', 'k8s-shape'],
    ['GET /api/v1/namespaces/Shop/secrets', 'k8s-shape'],
    ['GET /api/v1/namespaces/shop/pods/web-1/log/more', 'k8s-shape'],
    ['GET /api/v1/namespaces/shop/pods/web%201', 'k8s-shape'],
    ['GET /api/v1/namespaces/shop/pods/ftp:web:21/proxy/', 'k8s-shape'],
    ['GET /api/v1/namespaces/shop/pods/web:1:2:3/proxy/', 'k8s-shape'],
    ['GET /apis//v1', 'path-ambiguous'],
    ['GET /apis/apps!/v1/deployments', 'k8s-shape'],
    ['POST /api/v1/namespaces/shop/pods/web-1', 'k8s-shape'],
    ['PUT /api/v1/namespaces/shop/pods', 'k8s-shape'],
    ['PATCH /api/v1/namespaces/shop/pods', 'k8s-shape'],
    ['OPTIONS /api/v1/namespaces/shop/pods', 'k8s-shape'],
    ['POST /version', 'k8s-shape'],
    ['GET /api/v1/namespaces/shop/pods/../secrets', 'path-ambiguous'],
    ['GET //api/v1/secrets', 'path-ambiguous'],
    ['GET /api/v1/pods?watch=TRUE', 'k8s-query'],
    ['GET /api/v1/pods?watch', 'k8s-query'],
    ['GET /api/v1/pods?watch=', 'k8s-query'],
    ['GET /api/v1/pods?watch=false&watch=true', 'k8s-query'],
    ['GET /api/v1/pods?labelSelector=a&labelSelector=b', 'k8s-query'],
    [`GET ${POD}?watch=true`, 'k8s-query'],
    ['POST /api/v1/namespaces/shop/pods?watch=true', 'k8s-query'],
    ['GET /api/v1/pods?access_token=x', 'k8s-query'],
  ])('%s: %s', (line, rule) => {
    expect(asked(line)).toBe(`! ${rule}`);
  });

  it('is to be done as somebody else: their names do not go on', () => {
    const head = {
      method: 'GET',
      target: POD,
      httpVersion: '1.1',
      rawHeaders: [
        'host',
        'localhost',
        ...['Impersonate-User', 'system:admin', 'impersonate-group', 'system:masters'],
        ...[
          'Impersonate-Extra-x',
          'y',
          'Impersonate-Uid',
          '1',
          'X-Remote-User',
          'admin',
          'X-Remote-Group',
          'system:masters',
          'X-Remote-Extra-x',
          'y',
        ],
      ],
    };
    const request = canonicalRequest(head, { credentialHeaders: [] });
    expect(isRefused(request) || request.headers).toEqual([]);
  });
});
