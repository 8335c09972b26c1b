/**
 * Rules on what agents change, as every set of policies begins that we write for somebody: so many rows in one transaction,
 * and nothing that they see masked.
 *
 * @param scope What they are about, in Cedar: `resource`, or `resource in Resource::"pg"`.
 * @param rows At most so many rows in one transaction.
 * @returns Cedar's text, to stand among others. Pure.
 */
export function agentRules(scope: string, rows: number): string {
  return `@id("agents-change-few-rows")
@rows("${rows}")
@reason("an agent changes at most ${rows} rows in one transaction")
@hint("change fewer rows, or ask a developer to make the change")
permit (principal in Group::"ai-agents", action in Action::"sql.write", ${scope});

@id("masked-values-are-not-overwritten")
@reason("what you see masked you cannot judge, and so not replace")
@hint("change the columns that you see; ask a developer to change the others")
forbid (principal in Group::"ai-agents", action in Action::"sql.write", ${scope})
when { context.writesMasked };
`;
}
