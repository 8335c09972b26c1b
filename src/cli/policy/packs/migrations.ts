import type { PolicyPack } from './pack.ts';

/** Jobs that change a schema: bounded, and reviewed where something would be lost. */
export const MIGRATIONS: PolicyPack = {
  name: 'migrations',
  summary: 'jobs change the schema and fill columns; what loses data needs a DBA',
  policies: `// Jobs that migrate a schema. Replace the group "migrations" by that of your job in agents:, and say from where it may come:
//
//   when { principal.attested has ref && principal.attested.ref == "refs/heads/main" }

@id("migrations/change-the-schema")
permit (
  principal in Group::"migrations",
  action in [
    Action::"connect", Action::"sql.read", Action::"sql.ddl", Action::"sql.transaction", Action::"sql.set",
    Action::"sql.lock", Action::"sql.maintain"
  ],
  resource
);

// More rows than this are counted, undone and refused, before anything is committed.
@id("migrations/fill-in-portions")
@rows("10000")
@reason("a migration changes at most 10000 rows in one transaction")
@hint("fill the column in portions: WHERE id BETWEEN 1 AND 10000")
permit (
  principal in Group::"migrations",
  action in [Action::"sql.insert", Action::"sql.update", Action::"sql.delete", Action::"sql.merge"],
  resource
);

// Who may change the shape of a table can see what is in it: where a column is masked for the job, hoopd lets it change neither
// the table nor that column. Hide what it need not touch, such as pci does.
@id("migrations/values-are-shown")
permit (principal in Group::"migrations", action == Action::"reveal", resource);

@id("migrations/losing-data-is-reviewed")
@approval("dba")
@reason("what is dropped is gone")
@hint("it needs the approval of \\"dba\\"; a column that is no longer used can stay until the next release")
forbid (principal in Group::"migrations", action == Action::"sql.drop", resource)
unless { context.approvals.contains("dba") };

@id("migrations/nothing-unbounded")
@reason("of this nobody could say how much it changes")
@hint("use DELETE with a WHERE, in portions")
forbid (
  principal in Group::"migrations",
  action in [Action::"sql.truncate", Action::"sql.do", Action::"sql.admin", Action::"sql.grant"],
  resource
);
`,
  cases: `tests:
  - name: a column is added
    resource: pg-demo
    command: ALTER TABLE orders ADD shipped_on date
    expect: allow
    rule: migrations/change-the-schema
  - name: a table is made
    resource: pg-demo
    command: CREATE TABLE returns (id int PRIMARY KEY, order_id int REFERENCES orders)
    expect: allow
  - name: a column is filled, within a bound
    resource: pg-demo
    command: UPDATE orders SET status = 'open' WHERE status = 'new'
    expect: allow
    rows: 10000
  - name: a table is dropped by two
    resource: pg-demo
    command: DROP TABLE payments
    expect: hold
    approvals: [dba]
  - name: nothing is emptied
    resource: pg-demo
    command: TRUNCATE payments
    expect: deny
    rule: migrations/nothing-unbounded
  - name: no code that hides what it does
    resource: pg-demo
    command: DO 'BEGIN DELETE FROM payments; END'
    expect: deny
    rule: migrations/nothing-unbounded
  - name: a column of personal data is filled by itself
    resource: pg-demo
    command: UPDATE customers SET email = lower(email) WHERE id BETWEEN 1 AND 10000
    expect: allow
    rows: 10000
`,
};
