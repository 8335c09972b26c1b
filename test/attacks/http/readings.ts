/** What servers may make of a request: every reading that one of them is known for. Pure. */
import type { Heard } from '../../support/http/recording-upstream.ts';

/** Whoever reaches one of them has got through: policy permits nobody. */
const FORBIDDEN = /^\/(?:api\/v1\/secrets|admin)(?:\/|$)/;

/** Headers by which somebody before a server tells it another path or method. */
const PATHS =
  /^(?:x-original-ur[li]|x-rewrite-url|x-http-path-override|x-override-url|x-forwarded-uri|x-envoy-original-path|x-waws-unencoded-url)$/i;
const METHODS =
  /^(?:x-http-method(?:-?override)?|(?:http-)?method-override|x-method(?:-override)?|x-(?:original|forwarded)-method)$/i;
const HOSTS =
  /^(?:host|x-(?:forwarded|original|real)-host|forwarded|x-host|x-forwarded-server|x-http-host-override)$/i;
const PEOPLE =
  /^(?:x-(?:forwarded|remote|auth-request|authenticated|webauth)-user|x-user(?:-?(?:id|name))?|remote-user|x-forwarded-(?:email|preferred-username)|impersonate-[\w-]+|x-(?:consumer|credential)-username|x-goog-authenticated-user-email|(?:x-)?ssl-client-s-dn|x-client-cert|x-arr-clientcert|(?:x-pomerium|cf-access)-jwt-assertion|tailscale-user-login)$/i;

/** Ways to read a path, each of which some server takes, also one after the other. */
const READINGS: readonly ((path: string) => string)[] = [
  (path) => path.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '') || '/',
  (path) => path.replace(/[?#].*$/, ''),
  decoded,
  (path) =>
    path.replaceAll(/%u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  // Overlong forms, as decoders took them that looked at six bits of each octet.
  (path) => path.replaceAll(/(?:%c0|\xc0)(?:%([89ab][0-9a-f])|([\x80-\xbf]))/gi, overlong),
  (path) => path.normalize('NFKC'),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replaceAll(/;[^/]*/g, ''),
  (path) => path.replace(/\0.*$/s, ''),
  (path) => path.replaceAll(/[\p{Cc} ]/gu, ''),
  (path) => path.replaceAll(/\/{2,}/g, '/'),
  resolved,
  (path) => path.toLowerCase(),
];

function decoded(path: string): string {
  return path.replaceAll(/(?:%[0-9a-f]{2})+/gi, (all) => {
    const octets = Buffer.from(all.replaceAll('%', ''), 'hex');
    const text = octets.toString('utf8');
    return text.includes('\ufffd') ? octets.toString('latin1') : text;
  });
}

function overlong(_: string, hex: string | undefined, octet: string | undefined): string {
  const code = hex === undefined ? octet!.charCodeAt(0) : Number.parseInt(hex, 16);
  return String.fromCharCode(code & 0x3f);
}

function resolved(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.splice(Math.max(1, kept.length - 1));
    else if (segment !== '.') kept.push(segment);
  }
  return kept.join('/') || '/';
}

/** All paths that somebody reads in one, itself among them. */
export function readings(path: string): ReadonlySet<string> {
  const found = new Set([path]);
  for (const one of found) {
    if (found.size > 4000) break;
    for (const read of READINGS) found.add(read(one));
  }
  return found;
}

/**
 * How a request would get to what policy permits nobody, in some server's reading; undefined: in none.
 *
 * @param own What the gateway itself sends as the host.
 */
export function reached({ method, target, start, headers }: Heard, own: string): string | undefined {
  const named = headers.filter(([name]) => PATHS.test(plain(name))).map(([, value]) => value);
  for (const path of [target, ...named]) {
    const found = [...readings(path)].find((one) => FORBIDDEN.test(one));
    if (found !== undefined) return `${path} is read as ${found}`;
  }
  const methods = [
    method,
    ...headers.filter(([name]) => METHODS.test(plain(name))).map(([, value]) => value),
  ];
  const other = methods.find((one) => !['GET', 'HEAD', 'POST'].includes(one));
  if (other !== undefined) return `the method is read as ${other}`;
  if (!/ HTTP\/1\.[01]$/.test(start)) return `the version is none: ${start}`;
  const hosts = headers.filter(([name]) => HOSTS.test(plain(name)));
  const elsewhere = hosts.find(([, value]) => value !== own);
  if (elsewhere !== undefined) return `the host is read as ${elsewhere[1]}`;
  const person = headers.find(([name]) => PEOPLE.test(plain(name)));
  return person === undefined ? undefined : `the person is read as ${person[1]}`;
}

/** As CGI names it: what is no letter and no digit is the same. */
function plain(name: string): string {
  return name.replaceAll(/[^a-z0-9]/gi, '-');
}
