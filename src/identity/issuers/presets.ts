import type { Algorithm } from './algorithms.ts';

/** The identity providers whose habits are known here. `oidc`: any other that keeps to the standards. */
export const PRESETS = [
  'oidc',
  'okta',
  'entra',
  'google',
  'keycloak',
  'github-actions',
  'gitlab',
  'kubernetes',
] as const;
export type PresetName = (typeof PRESETS)[number];

/** How a vendor does what the standards leave open. Every part of it gives way to what is configured. */
export interface Preset {
  /** The forms of its issuers, as a pattern and in words; absent: any. */
  readonly issuer?: { readonly pattern: RegExp; readonly words: string };
  /** What hoopctl asks for at the device grant. */
  readonly scope: (issuer: string) => string;
  /** Our attribute → the claim that holds it, for people and machines alike. */
  readonly claims: Readonly<Record<string, string>>;
  /** Claims that may serve as a person's name, best first; `email` only where it is verified. */
  readonly names: readonly string[];
  /** Claim → the attribute under which a machine's token attests it. */
  readonly provenance: Readonly<Record<string, string>>;
  readonly algorithms: readonly Algorithm[];
  /** Whether people sign in here; where anyone may choose a token's audience, a client id would let machines pass as people. */
  readonly people: boolean;
  /** Anybody in the world has an account here: people must be narrowed down by domain or directory. */
  readonly openToAll?: true;
  /** How machines ask for a token with their own client; absent: they do not. */
  readonly clientCredentials?: ClientCredentialsHabits;
  /** What to do about groups that the token cannot hold. */
  readonly groupsCure?: string;
}

interface ClientCredentialsHabits {
  readonly scope?: (audience: string) => string;
  /** Name the audience by `resource` (RFC 8707, if it is a URI) and `audience`. */
  readonly namesAudience?: true;
  /** `aud` of private_key_jwt; the issuer where absent. */
  readonly assertionAudience?: 'token-endpoint';
}

const GITHUB_ACTIONS: Readonly<Record<string, string>> = {
  repository: 'repository',
  repository_id: 'repositoryId',
  repository_owner: 'repositoryOwner',
  repository_visibility: 'repositoryVisibility',
  ref: 'ref',
  ref_type: 'refType',
  ref_protected: 'refProtected',
  base_ref: 'baseRef',
  head_ref: 'headRef',
  sha: 'sha',
  workflow: 'workflow',
  workflow_ref: 'workflowRef',
  job_workflow_ref: 'jobWorkflowRef',
  run_id: 'runId',
  run_number: 'runNumber',
  run_attempt: 'runAttempt',
  event_name: 'eventName',
  environment: 'environment',
  actor: 'actor',
  runner_environment: 'runnerEnvironment',
};

const GITLAB: Readonly<Record<string, string>> = {
  namespace_path: 'namespacePath',
  project_path: 'projectPath',
  project_id: 'projectId',
  user_login: 'userLogin',
  pipeline_id: 'pipelineId',
  pipeline_source: 'pipelineSource',
  job_id: 'jobId',
  ref: 'ref',
  ref_type: 'refType',
  ref_protected: 'refProtected',
  environment: 'environment',
  environment_protected: 'environmentProtected',
  runner_environment: 'runnerEnvironment',
  sha: 'sha',
  ci_config_ref_uri: 'ciConfigRefUri',
};

const KUBERNETES: Readonly<Record<string, string>> = {
  '/kubernetes.io/namespace': 'namespace',
  '/kubernetes.io/serviceaccount/name': 'serviceAccount',
  '/kubernetes.io/serviceaccount/uid': 'serviceAccountUid',
  '/kubernetes.io/pod/name': 'pod',
  '/kubernetes.io/pod/uid': 'podUid',
  '/kubernetes.io/node/name': 'node',
};

const GUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const STANDARD_ALGORITHMS: readonly Algorithm[] = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'];

/** Where people sign in. */
const PEOPLE = {
  scope: () => 'openid profile email',
  claims: {},
  names: ['email', 'preferred_username'],
  provenance: {},
  algorithms: STANDARD_ALGORITHMS,
  people: true,
} as const;

/** For machines only: whoever runs a job chooses its token's audience. */
const PLATFORM = {
  scope: () => 'openid',
  claims: {},
  names: [],
  people: false,
} as const;

/**
 * The vendors' habits. docs/identity-providers.md says what each rests on.
 *
 * @see https://openid.net/specs/openid-connect-core-1_0.html
 */
const TABLE: Readonly<Record<PresetName, Preset>> = {
  oidc: {
    ...PEOPLE,
    provenance: { ...GITHUB_ACTIONS, ...GITLAB },
    clientCredentials: { namesAudience: true },
  },
  okta: {
    ...PEOPLE,
    issuer: {
      pattern: /^https:\/\/[^/]+(\/oauth2\/[A-Za-z0-9_-]+)?$/,
      words: 'https://ORG.okta.com, or https://ORG.okta.com/oauth2/ID for a custom authorization server',
    },
    // The scope `groups` exists at the org's own server only; a custom one refuses scopes that it does not define.
    scope: (issuer) =>
      issuer.includes('/oauth2/')
        ? 'openid profile email offline_access'
        : 'openid profile email groups offline_access',
    claims: { groups: 'groups' },
    provenance: { cid: 'client' },
    algorithms: ['RS256'],
    clientCredentials: { assertionAudience: 'token-endpoint' },
    groupsCure: 'narrow the groups filter of the claim in Okta to the groups that matter here',
  },
  entra: {
    ...PEOPLE,
    issuer: {
      pattern: new RegExp(`^https://[^/]+/${GUID}(/v2\\.0|/)$`, 'i'),
      words:
        'https://login.microsoftonline.com/TENANT-ID/v2.0 (v2 tokens) or https://sts.windows.net/TENANT-ID/ ' +
        "(v1 tokens, with the slash), with your tenant's id, never common or organizations",
    },
    scope: () => 'openid profile email offline_access',
    claims: { groups: 'groups', objectId: 'oid', tenant: 'tid' },
    // An address is not proven here, and whoever administers any tenant can set one.
    names: ['preferred_username', 'upn'],
    provenance: { azp: 'client', appid: 'client', idtyp: 'tokenFor' },
    algorithms: ['RS256'],
    clientCredentials: {
      scope: (audience) => `${audience}/.default`,
      assertionAudience: 'token-endpoint',
    },
    groupsCure:
      'in Entra, emit only the groups assigned to the application, or use app roles and write claims: {groups: roles}',
  },
  google: {
    ...PEOPLE,
    issuer: { pattern: /^https:\/\/accounts\.google\.com$/, words: 'https://accounts.google.com' },
    scope: () => 'openid email profile',
    claims: { hostedDomain: 'hd' },
    names: ['email'],
    provenance: { email: 'serviceAccount', azp: 'client' },
    algorithms: ['RS256'],
    openToAll: true,
  },
  keycloak: {
    ...PEOPLE,
    issuer: {
      pattern: /^https?:\/\/[^/]+(\/[^/]+)*\/realms\/[^/]+$/,
      words: 'https://HOST/realms/REALM (before Keycloak 17: https://HOST/auth/realms/REALM)',
    },
    claims: { groups: 'groups' },
    provenance: { azp: 'client' },
    clientCredentials: {},
    groupsCure: 'add a mapper of the type Group Membership to the client, into the claim groups',
  },
  'github-actions': {
    ...PLATFORM,
    issuer: {
      pattern:
        /^https:\/\/(token\.actions\.(githubusercontent|[^./]+\.ghe)\.com(\/[^/]+)?|[^/]+\/_services\/token)$/,
      words:
        'https://token.actions.githubusercontent.com (with /ENTERPRISE behind it where the enterprise says so), or ' +
        'https://HOST/_services/token for GitHub Enterprise Server',
    },
    provenance: GITHUB_ACTIONS,
    algorithms: ['RS256'],
  },
  gitlab: {
    ...PEOPLE,
    claims: { groups: 'groups_direct' },
    provenance: GITLAB,
    algorithms: ['RS256'],
  },
  kubernetes: { ...PLATFORM, provenance: KUBERNETES, algorithms: ['RS256', 'ES256'] },
};

/** The habits of one vendor. Pure; never throws. */
export function presetOf(name: PresetName | undefined): Preset {
  return TABLE[name ?? 'oidc'];
}
