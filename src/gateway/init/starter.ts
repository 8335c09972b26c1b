import type { Protocol } from '../../protocols/protocol.ts';
import { agentRules } from './agent-rules.ts';

/**
 * The configuration that `hoopd init` writes: everything in it works, what must be replaced says so.
 *
 * @param protocols Each gives a resource of its own.
 */
export function starterConfig(protocols: readonly Protocol[]): string {
  return `# Configuration of hoopd. Every key: docs/configuration.md. Check it: hoopd check
# Changes take effect while hoopd runs (or send SIGHUP); an invalid file leaves the old one in force.

listen: 127.0.0.1:7443
publicUrl: https://localhost:7443          # what clients call
tls: { certFile: tls.crt, keyFile: tls.key }   # made for trials on this machine; clients trust ca.crt

state: sqlite:./state
recordings: file:./recordings
audit: { durability: process, sealKey: { file: ./seal.key } }

issuers:                                   # who may vouch for people and jobs
  - issuer: https://login.example.com      # replace: your identity provider
    audience: hoop
    clientId: hoopctl                      # its public client with the device grant
    claims: { groups: groups }
    maxSession: 8h

agents:                                    # a name that is not listed here is nobody
  shop-copilot:
    delegators: { groups: [developers] }   # people of these groups may act as it
    groups: [ai-agents]

resources:
${protocols.map(({ starter }) => starter?.yaml ?? '').join('')}
policies: ./policies
`;
}

/** The policies that `hoopd init` writes. */
export const STARTER_POLICIES = `// Who may do what. What no policy permits is denied; a forbid beats every permit; an error denies.
// An agent that acts for a person needs the permit twice: as itself and as that person. See docs/policy.md.

@id("open-to-developers-and-agents")
permit (
  principal,
  action in [Action::"connect", Action::"sql.read", Action::"sql.transaction", Action::"sql.set"],
  resource
)
when { principal in Group::"developers" || principal in Group::"ai-agents" };

@id("developers-write")
permit (principal in Group::"developers", action in Action::"sql.write", resource);

// More rows than this are counted, undone and refused, before anything is committed.
${agentRules('resource', 1000)}
@id("no-schema-changes-by-agents")
@reason("agents do not change the schema")
@hint("propose the change as a migration")
forbid (principal in Group::"ai-agents", action in Action::"sql.ddl", resource);

@id("values-are-shown")
permit (principal, action == Action::"reveal", resource)
when { principal in Group::"developers" || principal in Group::"ai-agents" };

// Tags come from the configuration and, for values found in other text, from the detectors.
@id("personal-data-is-masked")
@mask("partial")
@reason("agents see of personal data only what tells rows apart")
forbid (principal in Group::"ai-agents", action == Action::"reveal", resource)
when {
  resource.tags.containsAny(["pii.email", "pii.phone", "pii.card", "pii.iban", "pii.national-id", "secret.key"])
};

@id("auditors-look")
permit (
  principal in Group::"auditors",
  action in [
    Action::"audit.search", Action::"audit.export", Action::"recording.view", Action::"session.list"
  ],
  resource
);

@id("operators-end-sessions")
permit (
  principal in Group::"operators",
  action in [Action::"session.list", Action::"session.kill"],
  resource
);
`;
