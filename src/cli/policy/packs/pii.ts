import type { PolicyPack } from './pack.ts';
import { READ_ONLY_AGENT } from './read-only-agent.ts';

/** Personal data, hidden from agents by its tags. */
export const PII: PolicyPack = {
  name: 'pii',
  summary: 'agents see of personal data only what tells rows apart, and write none of it',
  over: READ_ONLY_AGENT.name,
  policies: `// Personal data and agents. It only forbids: what may be done at all, other files permit.
//
// Tags come from the configuration (classification) and, for what stands in other text, from the detectors. A tag belongs
// to its groups too: pii.email is also pii.

@id("pii/contact-data-in-part")
@mask("partial")
@reason("agents see of contact data only what tells rows apart")
forbid (principal in Group::"ai-agents", action == Action::"reveal", resource)
when { resource.tags.containsAny(["pii.email", "pii.phone"]) };

@id("pii/everything-else-hidden")
@mask("redact")
@reason("agents do not need personal data")
forbid (principal in Group::"ai-agents", action == Action::"reveal", resource)
when { resource.tags.contains("pii") && !resource.tags.containsAny(["pii.email", "pii.phone"]) };

@id("pii/no-keys")
@mask("null")
@reason("keys and tokens are not data")
forbid (principal in Group::"ai-agents", action == Action::"reveal", resource)
when { resource.tags.contains("secret") };

@id("pii/not-overwritten")
@reason("what you see masked you cannot judge, and so not replace")
@hint("change the columns that you see; ask a developer to change the others")
forbid (principal in Group::"ai-agents", action in Action::"sql.write", resource)
when { context.writesMasked };
`,
  cases: `tests:
  - name: contact data, national ids and cards are masked, names are not
    resource: pg-demo
    command: SELECT c.name, c.email, c.phone, c.ssn, p.card FROM customers c, orders o, payments p WHERE o.customer_id = c.id AND p.order_id = o.id
    expect: allow
    masked:
      - pg-demo/public.customers.email
      - pg-demo/public.customers.phone
      - pg-demo/public.customers.ssn
      - pg-demo/public.payments.card
    shown: [pg-demo/public.customers.name]
  - name: nobody looks for a value that is hidden
    resource: pg-demo
    command: SELECT id FROM customers WHERE ssn = '123-45-6789'
    expect: deny
    rule: masked-column-flow
  - name: what is hidden is not overwritten
    resource: pg-demo
    command: UPDATE customers SET email = 'x@example.com' WHERE id = 1
    expect: deny
    rule: pii/not-overwritten
  - name: by the way of a conflict neither
    resource: pg-demo
    command: INSERT INTO customers (id, name, city) VALUES (1, 'A', 'B') ON CONFLICT (id) DO UPDATE SET phone = 'x'
    expect: deny
    rule: pii/not-overwritten
  - name: a table of personal data is not copied out
    resource: pg-demo
    command: COPY customers TO STDOUT
    expect: deny
`,
};
