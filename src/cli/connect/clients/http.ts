/**
 * What HTTP's clients are told so that they go through the tunnel.
 */
import { askAhead } from '../../../client/local/http/asking.ts';
import { localHttp } from '../../../client/local/http/index.ts';
import { shellQuote } from '../../render/text.ts';
import type { ClientHalf, ClientWishes, LocalEnd } from './half.ts';
import { variableOf } from './variable.ts';

const LOOPBACK = ['127.0.0.1', 'localhost'];

export const http: ClientHalf = {
  local: localHttp,
  removes: [],
  askAhead: (remote, _resource, question) => askAhead(remote, question),
  prepare(ends, _files, { bearer, env }) {
    const tokens = ends.flatMap((end) =>
      bearer && end.secret !== undefined ? [tokenOf(end, end.secret)] : [],
    );
    return {
      variables: { ...pastProxies(env), ...Object.fromEntries(tokens) },
      url: (end) => urlOf(end, bearer),
      steps: (end) => [curl(end, bearer)],
      facts: (end) => ({
        url: urlOf(end, bearer),
        ...(end.caFile === undefined ? {} : { caFile: end.caFile }),
        ...(end.secret === undefined ? {} : { token: end.secret }),
      }),
    };
  },
};

function tokenOf({ resource }: LocalEnd, secret: string): readonly [string, string] {
  return [variableOf(resource.name, 'TOKEN'), secret];
}

/**
 * A proxy cannot reach the local end, and would be shown its secret: what clients keep from it is told in either case of
 * letters, because they look at one or the other.
 */
function pastProxies(env: ClientWishes['env']): Readonly<Record<string, string>> {
  const known = (env['NO_PROXY'] ?? env['no_proxy'] ?? '').split(',').filter(Boolean);
  const list = [...new Set([...known, ...LOOPBACK])].join(',');
  return { NO_PROXY: list, no_proxy: list };
}

/** Without a slash at its end: a path is put behind it. */
function urlOf({ address, secret, caFile }: LocalEnd, bearer: boolean): string {
  const scheme = caFile === undefined ? 'http' : 'https';
  if (address.kind === 'socket') return `${scheme}://localhost`;
  const who = secret === undefined || bearer ? '' : `hoop:${secret}@`;
  return `${scheme}://${who}${address.host}:${address.port}`;
}

function curl(end: LocalEnd, bearer: boolean): string {
  const { address, secret, caFile } = end;
  const url = shellQuote(`${urlOf(end, bearer)}/`);
  const trust = caFile === undefined ? '' : ` --cacert ${shellQuote(caFile)}`;
  if (address.kind === 'socket') return `curl${trust} --unix-socket ${shellQuote(address.path)} ${url}`;
  const token = bearer && secret !== undefined ? ` -H ${shellQuote(`Authorization: Bearer ${secret}`)}` : '';
  return `curl${trust}${token} ${url}`;
}
