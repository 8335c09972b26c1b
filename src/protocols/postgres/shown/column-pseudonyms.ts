import type { Pseudonyms } from '../../../masking/pseudonyms.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import type { Guard } from '../../stream/guard.ts';
import type { Classification, Classified } from '../catalog/classification.ts';

/** What is needed to give pseudonyms to one session's principal. */
export type PseudonymGiver = Pick<Guard, 'mayEver' | 'pseudonyms'>;

/** By these a value of the caller's choosing comes into a table, or something that brings it there is made. */
const TO_TABLE = [
  'sql.insert',
  'sql.update',
  'sql.merge',
  'sql.copy-in',
  'sql.alter',
  'sql.create',
  'sql.grant',
];
const TO_SCHEMA = ['sql.create', 'sql.grant'];
const TO_RESOURCE = ['sql.create', 'sql.grant', 'sql.do', 'sql.admin', 'sql.replicate'];

/**
 * Which columns are shown by pseudonyms. Who could put a guess into a column and look what its pseudonym is would know whom every
 * other one stands for; so there are none where the principal might write into any table of the column's domain, and none in
 * views, which may show values from anywhere.
 *
 * A domain is all columns of the resource with the same tags. Decided once for each version of policy and catalog, never by a
 * statement.
 */
export class ColumnPseudonyms {
  readonly #giver: PseudonymGiver;
  readonly #classification: Classification;
  readonly #domains = new Map<string, Pseudonyms | string>();
  #code: string | undefined;

  constructor(giver: PseudonymGiver, classification: Classification) {
    this.#giver = giver;
    this.#classification = classification;
  }

  /** @returns What stands for the column's values, or why there is nothing. */
  of({ tags, object }: Classified): Pseudonyms | string {
    const kind = object.parent?.attrs['kind'];
    if (kind !== 'table' && kind !== 'partitioned')
      return `${object.parent?.id} is no table: what a view shows may be put there by anyone`;
    const domain = tags.join(' ');
    const known = this.#domains.get(domain) ?? this.#domain(domain, tags);
    this.#domains.set(domain, known);
    return known;
  }

  #domain(name: string, tags: readonly string[]): Pseudonyms | string {
    const alike = this.#classification.columns.filter((column) =>
      column.tags.some((tag) => tags.includes(tag)),
    );
    const tables = new Map(alike.flatMap(({ object: { parent } }) => (parent ? [[parent.id, parent]] : [])));
    const places = [...tables.values()].flatMap((table) => [
      [table, TO_TABLE] as const,
      ...(table.parent === undefined ? [] : [[table.parent, TO_SCHEMA] as const]),
      ...(table.parent?.parent === undefined ? [] : [[table.parent.parent, TO_RESOURCE] as const]),
    ]);
    for (const [object, verbs] of places) {
      const verb = verbs.find((one) => this.#giver.mayEver(one, object, 'object'));
      if (verb !== undefined) return mayDo(verb, object);
    }
    return this.#callable() || this.#giver.pseudonyms(name);
  }

  /** Empty: no function of which nobody knows what it writes may be called. */
  #callable(): string {
    if (this.#code === undefined) {
      const called = this.#classification.code.find((one) => this.#giver.mayEver('sql.call', one, 'object'));
      this.#code = called === undefined ? '' : mayDo('sql.call', called);
    }
    return this.#code;
  }
}

function mayDo(verb: string, { id }: PolicyObject): string {
  return `${verb} on ${id} may be allowed, and who can write values can compare guesses`;
}
