import type { PolicyPack } from './pack.ts';

/** Agents that look and change nothing, by themselves or for a person. */
export const READ_ONLY_AGENT: PolicyPack = {
  name: 'read-only-agent',
  summary: 'agents look at everything that can be read, and change nothing',
  policies: `// Agents that only look. Replace the group "ai-agents" by yours; narrow resource by: resource in Resource::"pg-prod".
//
// A person's half is given only while an agent of the group acts for them: by themselves they may do nothing by this.

@id("read-only-agent/look")
permit (
  principal,
  action in [
    Action::"connect",
    Action::"sql.read", Action::"sql.transaction", Action::"sql.set",
    Action::"http.read", Action::"mcp.use", Action::"mcp.prompt", Action::"mcp.read",
    Action::"sftp.read",
    Action::"k8s.read", Action::"k8s.discover"
  ],
  resource
)
when {
  principal in Group::"ai-agents" ||
  (principal is Person && principal has agent && principal.agent in Group::"ai-agents")
};

// Take a pack such as pii or pci over it: this shows all values.
@id("read-only-agent/values-are-shown")
permit (principal, action == Action::"reveal", resource)
when {
  principal in Group::"ai-agents" ||
  (principal is Person && principal has agent && principal.agent in Group::"ai-agents")
};

// Nothing permits these; this one stays when another file does, and tells agents what to do instead.
@id("read-only-agent/change-nothing")
@reason("agents only look here")
@hint("describe the change, with its statement, to a developer who can make it")
forbid (
  principal in Group::"ai-agents",
  action in [
    Action::"sql.write", Action::"sql.ddl", Action::"sql.do", Action::"sql.grant", Action::"sql.lock",
    Action::"sql.maintain", Action::"sql.replicate", Action::"sql.admin", Action::"sql.set-unsafe",
    Action::"http.write", Action::"mcp.call", Action::"rpc.call",
    Action::"ssh.run", Action::"ssh.forward", Action::"sftp.write",
    Action::"k8s.write", Action::"k8s.run", Action::"k8s.token"
  ],
  resource
);
`,
  cases: `tests:
  - name: a table is read
    resource: pg-demo
    command: SELECT id, status FROM orders WHERE id = $1
    params: ['7']
    expect: allow
    rule: read-only-agent/look
  - name: a function that only computes is called
    resource: pg-demo
    command: SELECT upper(name), count(*) FROM products GROUP BY 1
    expect: allow
  - name: nothing is inserted
    resource: pg-demo
    command: INSERT INTO products VALUES (99, 'Mug', 700)
    expect: deny
    rule: read-only-agent/change-nothing
  - name: not in a WITH either
    resource: pg-demo
    command: WITH gone AS (DELETE FROM payments RETURNING id) SELECT count(*) FROM gone
    expect: deny
    rule: read-only-agent/change-nothing
  - name: no row is locked
    resource: pg-demo
    command: SELECT id FROM orders FOR UPDATE
    expect: deny
    rule: read-only-agent/change-nothing
  - name: the schema stays
    resource: pg-demo
    command: DROP TABLE products
    expect: deny
    rule: read-only-agent/change-nothing
  - name: no code of the client's is run
    resource: pg-demo
    command: DO 'BEGIN DELETE FROM payments; END'
    expect: deny
  - name: an API is read
    resource: api-demo
    command: GET /customers/1
    expect: allow
    rule: read-only-agent/look
  - name: and not written
    resource: api-demo
    command: DELETE /orders/7
    expect: deny
    rule: read-only-agent/change-nothing
`,
};
