import { type FieldPath, parseFieldPath } from '../../../masking/json/field-path.ts';
import type { MaskedField } from '../../../masking/json/field-states.ts';
import type { PolicyObject, Reveal } from '../../../policy/model.ts';

/** Members of one tool's results, or of one method's; `*`: of all. */
export interface ClassifiedResult {
  /** In lower case. */
  readonly name: string;
  readonly path: FieldPath;
  readonly object: PolicyObject;
}

/** What policy was asked about it is with it. */
interface MaskedMember extends MaskedField {
  readonly object: PolicyObject;
}

const ANY = '*';

/**
 * What is classified in results, as policy is asked about it. Pure.
 *
 * @param configured Tool (of JSON-RPC: method) → path → tags; every path can be read.
 */
export function classifiedResults(
  resource: PolicyObject,
  configured: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>,
): readonly ClassifiedResult[] {
  return Object.entries(configured).flatMap(([result, fields]) =>
    Object.entries(fields).flatMap(([text, tags]): ClassifiedResult[] => {
      const path = parseFieldPath(text);
      if (path === undefined) return [];
      const table = `result of ${result}`;
      const attrs = { schema: '', table, name: text, tags: [...tags], detected: false };
      const object = { type: 'Field', id: `${resource.id}/${table}#${text}`, attrs, parent: resource };
      return [{ name: result.toLowerCase(), path, object }];
    }),
  );
}

/**
 * What of results is masked for one principal.
 *
 * @param results Tools or methods, by either of which the result may be; undefined among them, or none: any. Letters of
 *   both cases are the same, since what is classified must not be read by another spelling.
 */
export function maskedMembers(
  classified: readonly ClassifiedResult[],
  results: readonly (string | undefined)[],
  reveal: (object: PolicyObject) => Reveal,
): readonly MaskedMember[] {
  const names = results.length === 0 ? [undefined] : results.map((name) => name?.toLowerCase());
  const any = names.includes(undefined);
  const on = classified.filter(({ name }) => any || name === ANY || names.includes(name));
  return on.flatMap(({ path, object }) => {
    const shown = reveal(object);
    return shown.show ? [] : [{ path, kind: shown.mask, object }];
  });
}
