import type { AskedQuestion } from '../audit/event.ts';
import type { Pair, PolicyObject, PolicyValue } from '../policy/model.ts';
import type { Vocabulary } from '../policy/vocabulary/index.ts';

type Values = Readonly<Record<string, PolicyValue>>;

/** What policy is asked of an operation. */
export interface Question {
  readonly pairs: readonly Pair[];
  readonly context: Values;
}

/** For what is refused before policy is asked, or where nothing runs. */
export const REFUSED = { refused: true } as const;

/**
 * What stays on record of a question, so that another policy can be asked the same.
 *
 * Pure. Objects whose ids are shown otherwise than they are keep what is shown alone, and so do those that hold a text; facts that evidence may not hold
 * keep their names. @returns Never more objects than pairs and what they hang in. Never throws.
 */
export function recordedQuestion(
  vocabulary: Vocabulary,
  { pairs, context }: Question,
  prepares = false,
): AskedQuestion {
  const objects: AskedQuestion['objects'][number][] = [];
  const places = new Map<PolicyObject, number>();
  const placeOf = (object: PolicyObject): number => {
    const known = places.get(object);
    if (known !== undefined) return known;
    const parent = object.parent === undefined ? undefined : placeOf(object.parent);
    const { type, id, shownId, holdsText } = object;
    const attrs = shownId === undefined && holdsText !== true ? object.attrs : null;
    const shown = shownId ?? id;
    const place =
      objects.push(parent === undefined ? [type, shown, attrs] : [type, shown, attrs, parent]) - 1;
    places.set(object, place);
    return place;
  };
  const kept = pairs.map(({ action, object, counted }) =>
    counted === true ? ([action, placeOf(object), 1] as const) : ([action, placeOf(object)] as const),
  );
  const verbs = new Set(pairs.map(({ action }) => action));
  const facts = Object.entries(context);
  const shown = facts.filter(([name]) => name === 'approvals' || vocabulary.isRecorded(name, verbs));
  const withheld = facts.flatMap((fact) => (shown.includes(fact) ? [] : [fact[0]]));
  return {
    objects,
    pairs: kept,
    context: Object.fromEntries(shown),
    ...(withheld.length === 0 ? {} : { withheld }),
    ...(prepares ? { prepares } : {}),
  };
}

/**
 * The question again, as far as it is on record.
 *
 * Pure. @returns Undefined: an object's id is not whole, or the record is not one that `recordedQuestion` makes. Never throws.
 */
export function questionOf({ objects, pairs, context }: AskedQuestion): Question | undefined {
  const made: PolicyObject[] = [];
  for (const [type, id, attrs, parent] of objects) {
    if (attrs === null) return undefined;
    if (parent === undefined) made.push({ type, id, attrs });
    else if (made[parent] === undefined) return undefined;
    else made.push({ type, id, attrs, parent: made[parent] });
  }
  const again = pairs.flatMap(([action, place, counted]): Pair[] => {
    const object = made[place];
    if (object === undefined) return [];
    return [counted === undefined ? { action, object } : { action, object, counted: true }];
  });
  return again.length === pairs.length ? { pairs: again, context } : undefined;
}
