import { z } from 'zod';
import type { Explanation } from '../../../api/explanation.ts';
import { explained } from '../beforehand.ts';
import { RESOURCE } from '../operation.ts';
import { GIVEN_UP, refusalIn } from '../refusal.ts';
import { tool } from '../tool.ts';
import { shownName, shownText } from '../words.ts';
import { OPERATION } from './operations.ts';

const TEXT_CHARS = 2_000;

export const explainOperation = tool({
  name: 'explain_operation',
  title: 'Explain what policy would say',
  description:
    'Says what would become of an operation and runs nothing: whether it is permitted, needs an approval or is denied, by which ' +
    'rules, everything that it would touch, and which columns would come masked. Use it to preview a change, or to understand a refusal.',
  everywhere: true,
  input: z.strictObject({ resource: RESOURCE, operation: OPERATION }),
  output: z.object({
    effect: z.enum(['allow', 'hold', 'deny']).describe('It would run; wait for an approval; be refused.'),
    message: z.string().optional(),
    rule: z.string().optional(),
    reason: z.string().optional(),
    hint: z.string().optional(),
    next: z.string().optional().describe('The same in one word, as refusals have it.'),
    approvals: z.array(z.string()).optional().describe('Under which names people would say yes.'),
    at_most_rows: z.int().optional().describe('It may change so many rows and no more.'),
    would: z.array(
      z.object({
        effect: z.string(),
        action: z.string(),
        object: z.string(),
        through: z.string().optional().describe('By what the target does it of itself.'),
        rules: z.array(z.string()),
      }),
    ),
    rules: z.array(z.object({ id: z.string(), reason: z.string().optional(), hint: z.string().optional() })),
    columns: z
      .array(z.object({ name: z.string(), from: z.array(z.string()), mask: z.string().optional() }))
      .optional(),
    masked: z.array(z.string()).optional(),
    masked_by: z
      .record(z.string(), z.array(z.string()))
      .optional()
      .describe('The rules that hide each of these; none: no rule shows it.'),
    lacks: z
      .array(z.string())
      .optional()
      .describe('What it names and the target does not have: it would fail there.'),
    refused_now: z
      .string()
      .optional()
      .describe('Why it would be refused at this moment all the same: what may be done so often was done.'),
  }),
  async run({ resource, operation }, { desk, signal }) {
    const explanation = await explained(desk, resource, operation, signal);
    const { effect, approvals, rows, pairs, rules, columns, masked, maskedBy, lacks, spent } = explanation;
    return {
      effect,
      ...toldOf(explanation),
      ...(approvals === undefined ? {} : { approvals: approvals.map((name) => shownName(name)) }),
      ...(rows === undefined ? {} : { at_most_rows: rows }),
      would: pairs.map(({ effect: each, action, object, through, rules: by }) => ({
        effect: each,
        action,
        object: shownName(object),
        ...(through === undefined ? {} : { through: shownName(through) }),
        rules: by.map((id) => shownName(id)),
      })),
      rules: rules.map(({ id, reason, hint: what }) => ({
        id: shownName(id),
        ...(reason === undefined ? {} : { reason: shownText(reason, TEXT_CHARS) }),
        ...(what === undefined || id === GIVEN_UP ? {} : { hint: shownText(what, TEXT_CHARS) }),
      })),
      ...(columns === undefined
        ? {}
        : {
            columns: columns.map(({ name, from, mask }) => ({
              name: shownName(name),
              from: from.map((one) => shownName(one)),
              ...(mask === undefined ? {} : { mask }),
            })),
          }),
      ...(masked === undefined ? {} : { masked: masked.map((name) => shownName(name)) }),
      ...(maskedBy === undefined ? {} : { masked_by: shownRules(maskedBy) }),
      ...(lacks === undefined ? {} : { lacks: lacks.map((name) => shownName(name)) }),
      ...(spent === undefined ? {} : { refused_now: shownText(spent, TEXT_CHARS) }),
    };
  },
});

/** What the same call would be refused with. */
function shownRules(by: NonNullable<Explanation['maskedBy']>): Record<string, string[]> {
  const shown = Object.entries(by).map(([name, ids]) => [shownName(name), ids.map((id) => shownName(id))]);
  return Object.fromEntries(shown);
}

function toldOf(explanation: Explanation) {
  const { message, rule, reason, hint, next } = refusalIn(explanation) ?? {};
  return {
    ...(message === undefined ? {} : { message }),
    ...(rule === undefined ? {} : { rule }),
    ...(reason === undefined ? {} : { reason }),
    ...(hint === undefined ? {} : { hint }),
    ...(next === undefined ? {} : { next }),
  };
}
