import type { FieldState, MaskedField } from '../../../masking/json/field-states.ts';
import { type Mask, strongest } from '../../../masking/mask.ts';
import type { MemberStep } from '../sql/meaning/flow/member-steps.ts';
import type { ShownAt } from '../sql/meaning/lineage.ts';

/** How a column is masked. */
export interface ColumnMask {
  /** As a whole: all of its values; where it is masked by members, those of which nobody can say where the members stand. */
  readonly mask: Mask;
  /** Only these members of its documents are; absent: it is masked as a whole. */
  readonly members?: readonly MaskedField[];
}

/** As a column's documents are read by it. */
export interface KnownMask extends ColumnMask {
  readonly fields?: FieldState;
}

/** What cannot be read is hidden, whatever would be left of a member. */
export function byMembers(members: readonly MaskedField[]): ColumnMask {
  return { mask: strongest(['redact', ...members.map(({ kind }) => kind)]), members };
}

/** Digits, as PostgreSQL reads them in a path: of an element, where an array stands. */
const INDEX = /^\s*[+-]?\d+\s*$/;

/** Whether nothing masked is met by steps into a document, nor stands behind them. Pure. */
export function isBeside(fields: FieldState, steps: readonly MemberStep[]): boolean {
  let states: ReadonlySet<FieldState> = new Set([fields]);
  for (const step of steps) {
    states = new Set([...states].flatMap((state) => after(state, step)));
    if ([...states].some(({ mask }) => mask !== undefined)) return false;
  }
  return [...states].every(({ idle }) => idle);
}

/** A path leads through arrays as if they were not there. */
function after(state: FieldState, step: MemberStep): FieldState[] {
  if (step.kind === 'element') return [state];
  const isIndex = step.kind === 'either' && INDEX.test(step.name);
  return isIndex ? [state, state.at(step.name)] : [state.at(step.name)];
}

/** What holds where a column's data is seen: what is made of documents has no members of theirs. */
export function maskAt(mask: ColumnMask, { asIs }: ShownAt): ColumnMask {
  return asIs || mask.members === undefined ? mask : { mask: mask.mask };
}

/** Of two masks of one column. @returns `known` itself if `more` hides nothing that it does not. */
export function both(known: ColumnMask, more: ColumnMask): ColumnMask {
  const mask = strongest([known.mask, more.mask]);
  if (known.members === undefined || more.members === undefined)
    return known.members === undefined && mask === known.mask ? known : { mask };
  const members = new Map(known.members.map((one) => [one.path.text, one]));
  for (const one of more.members) {
    const before = members.get(one.path.text);
    const kind = before === undefined ? one.kind : strongest([before.kind, one.kind]);
    if (kind !== before?.kind) members.set(one.path.text, { path: one.path, kind });
  }
  const same =
    known.members.length === members.size && known.members.every((one) => members.get(one.path.text) === one);
  return same && mask === known.mask ? known : { mask, members: [...members.values()] };
}
