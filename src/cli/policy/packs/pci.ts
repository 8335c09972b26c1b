import { MIGRATIONS } from './migrations.ts';
import type { PolicyPack } from './pack.ts';

/** Data of payment cards: for one group alone, and in clear only there. */
export const PCI: PolicyPack = {
  name: 'pci',
  summary: 'card data is for the group "payments" alone; all others see the last digits',
  over: MIGRATIONS.name,
  policies: `// Data of payment cards, after PCI DSS 4.0: 3.4.1 (numbers masked when shown), 3.3.1 (authentication data is not kept, and so
// never shown), 7.2 (access by need). It only forbids: what may be done at all, other files permit.
//
// Card numbers have the tag pii.card, which detectors give too. Tag what authenticates a card (codes, tracks, PINs) as pci.auth,
// and other card data as pci.…

@id("pci/last-digits-only")
@mask("partial")
@reason("of card numbers the last digits are shown")
@hint("work with the last digits, or with the payment's own id")
forbid (principal, action == Action::"reveal", resource)
when { resource.tags.contains("pii.card") }
unless { principal in Group::"payments" };

@id("pci/no-authentication-data")
@mask("null")
@reason("what authenticates a card is shown to nobody")
forbid (principal, action == Action::"reveal", resource)
when { resource.tags.contains("pci.auth") };

@id("pci/other-card-data")
@mask("redact")
@reason("card data is for those who work with payments")
forbid (principal, action == Action::"reveal", resource)
when { resource.tags.contains("pci") }
unless { principal in Group::"payments" };

@id("pci/written-by-payments-alone")
@reason("card data is changed by those who work with payments")
@hint("change the other columns; ask the payments team to change these")
forbid (principal, action in Action::"sql.write", resource)
when { context.columnTags.containsAny(["pii.card", "pci"]) }
unless { principal in Group::"payments" };
`,
  cases: `tests:
  - name: card numbers are masked, amounts are not
    resource: pg-demo
    command: SELECT card, amount_cents FROM payments WHERE id = 1
    expect: allow
    masked: [pg-demo/public.payments.card]
    shown: [pg-demo/public.payments.amount_cents]
  - name: nobody guesses a number digit by digit
    resource: pg-demo
    command: SELECT count(*) FROM payments WHERE card LIKE '4%'
    expect: deny
    rule: masked-column-flow
  - name: card numbers are not written
    resource: pg-demo
    command: UPDATE payments SET card = '4111111111111111' WHERE id = 1
    expect: deny
    rule: pci/written-by-payments-alone
  - name: the table is not copied out
    resource: pg-demo
    command: COPY payments TO STDOUT
    expect: deny
  - name: its shape is changed by nobody for whom they are masked
    resource: pg-demo
    command: ALTER TABLE payments ADD cvv text
    expect: deny
    rule: masked-table-ddl
`,
};
