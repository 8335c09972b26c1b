/** Which headers go no further than this connection: RFC 9110 §7.6.1, and what older clients send. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
]);

/** There is one or none: two of them are two requests to two servers. */
export const SINGLE: ReadonlySet<string> = new Set([
  'access-control-request-headers',
  'access-control-request-method',
  'authorization',
  'content-disposition',
  'content-encoding',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'expect',
  'from',
  'host',
  'if-modified-since',
  'if-range',
  'if-unmodified-since',
  'last-event-id',
  'max-forwards',
  'mcp-protocol-version',
  'mcp-session-id',
  'origin',
  'proxy-authorization',
  'range',
  'referer',
  'sec-websocket-key',
  'sec-websocket-version',
  'te',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

/** Written by the gateway itself, answered by it, or about its own address. */
const OWN = ['content-length', 'expect', 'host', 'origin', 'via'];

/**
 * What a client proves itself with. The target is shown the configured credential, and nothing of the client's.
 * A name that begins with a hyphen stands for all that end so.
 */
const CREDENTIALS = [
  'access-token',
  'api-key',
  'apikey',
  'auth-token',
  'authentication',
  'authorization',
  'circle-token',
  'cookie',
  'cookie2',
  'dd-application-key',
  'deploy-token',
  'dpop',
  'job-token',
  'jwt',
  'ocp-apim-subscription-key',
  'private-token',
  'token',
  'x-apikey',
  'x-auth',
  'x-auth-email',
  'x-auth-key',
  'x-consul-token',
  'x-functions-key',
  'x-jwt',
  'x-nomad-token',
  'x-rapidapi-key',
  'x-session-id',
  'x-token',
  'x-vault-token',
  '-access-key',
  '-access-token',
  '-api-key',
  '-api-token',
  '-auth-token',
  '-authorization',
  '-authorization-token',
  '-jwt-assertion',
  '-password',
  '-refresh-token',
  '-secret',
  '-secret-key',
  '-security-token',
  '-session-token',
  '-user-token',
];

/**
 * What servers believe of a proxy before them: another method, path, host, scheme, address or person than the request has.
 * A name that ends with a hyphen stands for all that begin so.
 */
const OF_PROXIES = [
  'cdn-loop',
  'cf-',
  'client-cert',
  'client-cert-chain',
  'client-ip',
  'early-data',
  'fastly-client-ip',
  'forwarded',
  'front-end-https',
  'impersonate-',
  'proxy',
  'http-method-override',
  'method-override',
  'remote-',
  'ssl-client-',
  'tailscale-',
  'true-client-ip',
  'x-amzn-oidc-',
  'x-anonymous-consumer',
  'x-arr-',
  'x-auth-request-',
  'x-authenticated-',
  'x-authentik-',
  'x-client-cert',
  'x-client-cn',
  'x-client-dn',
  'x-client-host',
  'x-client-ip',
  'x-client-verify',
  'x-cluster-client-ip',
  'x-consumer-',
  'x-credential-',
  'x-envoy-',
  'x-forwarded',
  'x-forwarded-',
  'x-forwarder-for',
  'x-goog-authenticated-user-',
  'x-goog-iap-',
  'x-host',
  'x-http-destinationurl',
  'x-http-host-override',
  'x-http-method',
  'x-http-method-override',
  'x-http-methodoverride',
  'x-http-path-override',
  'x-method',
  'x-method-override',
  'x-middleware-',
  'x-ms-client-principal',
  'x-ms-client-principal-',
  'x-original-',
  'x-originating-ip',
  'x-override-url',
  'x-pomerium-',
  'x-proxy-',
  'x-proxyuser-ip',
  'x-real-',
  'x-remote-',
  'x-remoteaddr',
  'x-rewrite-',
  'x-ssl-client-',
  'x-url-scheme',
  'x-user',
  'x-user-email',
  'x-user-groups',
  'x-user-id',
  'x-user-name',
  'x-user-role',
  'x-user-roles',
  'x-username',
  'x-waws-unencoded-url',
  'x-webauth-',
];

/** Of a handshake, whose two sides have one each. */
const OF_HANDSHAKES = ['sec-websocket-', 'x-stream-protocol-version'];

const LEFT_AWAY: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ...OWN,
  ...CREDENTIALS,
  ...OF_PROXIES,
  ...OF_HANDSHAKES,
]);
const PREFIX = new RegExp(`^(?:${names((name) => name.endsWith('-'))})`);
const ENDING = new RegExp(`(?:${names((name) => name.startsWith('-'))})$`);

function names(which: (name: string) => boolean): string {
  return [...LEFT_AWAY].filter(which).join('|');
}

/**
 * Whether a client's header goes on.
 *
 * Only letters, digits and hyphens are in names that do: CGI and nginx write `_` for a hyphen, so that `X_Forwarded_User` is
 * `X-Forwarded-User` behind them. What is said of a proxy, of a person or of another request than this is believed of
 * nobody.
 *
 * @param name In lower case.
 */
export function goesOn(name: string): boolean {
  return /^[a-z0-9-]+$/.test(name) && !LEFT_AWAY.has(name) && !PREFIX.test(name) && !ENDING.test(name);
}

/** Whether `Connection` may name it: what is of this connection, and extensions that nobody but the target reads. */
export function mayBeOfConnection(name: string): boolean {
  return HOP_BY_HOP.has(name) || name === 'close' || (name.startsWith('x-') && goesOn(name));
}
