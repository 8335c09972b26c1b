import { agentRules } from '../gateway/init/agent-rules.ts';

/**
 * The demo's policy, as it is written to `policies/shop.cedar` for people to read and change. A string, so that it is
 * part of the bundle.
 */
export const SHOP_POLICY = `// Who may do what with the demo's shop. hoopd reads this file anew whenever it changes.
//
// Three things hold whatever stands here: what no policy permits is denied; a forbid beats every permit; a policy that
// fails while it is evaluated denies. An agent that acts for a person needs the permit twice, as itself and as that
// person: it can never do more than either of them.

// ---- Reading and changing the shop -----------------------------------------------------------------------------------

@id("shop-is-open-to-developers-and-agents")
permit (
  principal,
  action in [Action::"connect", Action::"sql.read", Action::"sql.transaction", Action::"sql.set"],
  resource in Resource::"pg-demo"
)
when { principal in Group::"developers" || principal in Group::"ai-agents" };

@id("so-is-its-api")
permit (
  principal,
  action in [Action::"connect", Action::"http.read"],
  resource in Resource::"api-demo"
)
when { principal in Group::"developers" || principal in Group::"ai-agents" };

@id("and-the-host-it-runs-on")
permit (principal, action == Action::"connect", resource in Resource::"host-demo")
when { principal in Group::"developers" || principal in Group::"ai-agents" };

@id("where-these-programs-run")
permit (principal, action == Action::"ssh.exec", resource is Command)
when {
  (principal in Group::"developers" || principal in Group::"ai-agents") &&
  ["uptime", "cat", "systemctl"].contains(resource.program)
};

@id("the-shop-stays-up")
@reason("agents look at services, and change none")
@hint("systemctl status shop is allowed; ask a developer for more")
forbid (principal in Group::"ai-agents", action == Action::"ssh.exec", resource is Command)
when { resource.program == "systemctl" && resource.text != "systemctl status shop" };

@id("orders-are-kept")
@reason("an order is kept, whatever becomes of it")
@hint("set its status in pg-demo instead")
forbid (principal in Group::"ai-agents", action == Action::"http.delete", resource)
when { resource in Resource::"api-demo" };

@id("developers-write")
permit (principal in Group::"developers", action in Action::"sql.write", resource in Resource::"pg-demo");

// More rows than this are counted, undone and refused, before anything is committed.
${agentRules('resource in Resource::"pg-demo"', 50)}
// ---- Changing the schema ---------------------------------------------------------------------------------------------

@id("tables-may-be-altered")
permit (principal, action == Action::"sql.alter", resource in Resource::"pg-demo")
when { principal in Group::"developers" || principal in Group::"ai-agents" };

@id("schema-changes-are-reviewed")
@approval("dba")
@reason("a second person looks at each change of the schema first")
forbid (principal in Group::"ai-agents", action == Action::"sql.alter", resource)
unless { context.approvals.contains("dba") };

@id("dbas-approve")
permit (principal in Group::"dba", action == Action::"approval.grant", resource)
when { resource.name == "dba" };

@id("no-other-schema-changes")
@reason("nothing is made or dropped through a tunnel")
@hint("propose the change as a migration; tables may be altered when a second person approves it")
forbid (principal, action in Action::"sql.ddl", resource)
unless { action == Action::"sql.alter" };

// ---- What is shown ---------------------------------------------------------------------------------------------------

@id("values-are-shown")
permit (principal, action == Action::"reveal", resource)
when { principal in Group::"developers" || principal in Group::"ai-agents" };

// Tags come from the configuration (classification) and, for values found in unclassified text, from the detectors.

@id("contact-data-is-shown-in-part")
@mask("partial")
@reason("agents see of contact data only what tells rows apart")
forbid (principal in Group::"ai-agents", action == Action::"reveal", resource)
when { resource.tags.containsAny(["pii.email", "pii.phone"]) };

@id("numbers-and-keys-are-hidden")
@mask("redact")
@reason("cards, national ids, account numbers and keys are never shown to agents")
forbid (principal in Group::"ai-agents", action == Action::"reveal", resource)
when { resource.tags.containsAny(["pii.card", "pii.iban", "pii.national-id", "secret.key"]) };

// ---- Looking after it ------------------------------------------------------------------------------------------------

@id("auditors-look")
permit (
  principal in Group::"auditors",
  action in [
    Action::"audit.search", Action::"audit.export", Action::"recording.view", Action::"session.list"
  ],
  resource
);

@id("security-ends-sessions")
permit (principal in Group::"security", action == Action::"session.kill", resource);
`;
