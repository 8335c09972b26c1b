import fc, { type Arbitrary } from 'fast-check';
import { type Callable, LITERALS, type Table, type Vocabulary } from './vocabulary.ts';

/** Stands where a parameter does, until the statement is whole and parameters are numbered. */
export const PARAMETER = '$?';

/**
 * Expressions of wanted types, most of which the server accepts: arguments are of the type that is wanted, of one that is
 * cast to it without a word, or of none yet.
 */
export class Expressions {
  readonly #vocabulary: Vocabulary;
  /** In scope, each with a name to qualify its columns with. */
  readonly #tables: readonly (Table & { readonly alias: string })[];
  readonly #known = new Map<string, Arbitrary<string>>();

  constructor(vocabulary: Vocabulary, tables: readonly (Table & { readonly alias: string })[]) {
    this.#vocabulary = vocabulary;
    this.#tables = tables;
  }

  anything(depth: number): Arbitrary<string> {
    return this.anyType().chain((type) => this.of(type, depth));
  }

  anyType(): Arbitrary<string> {
    return fc.constantFrom(...this.#vocabulary.types);
  }

  of(type: string, depth: number): Arbitrary<string> {
    const key = `${depth} ${type}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const leaf = fc.oneof(...this.#leaves(type));
    const made = depth === 0 ? leaf : fc.oneof(leaf, ...this.#composed(type, depth));
    this.#known.set(key, made);
    return made;
  }

  /** An aggregate over what it takes, with what may stand behind it. */
  aggregate(depth: number): Arbitrary<string> {
    const behind = fc.constantFrom('', '', ` FILTER (WHERE true)`, ' OVER (ORDER BY 1)', ' OVER ()');
    return fc
      .tuple(fc.constantFrom(...this.#vocabulary.aggregates), behind)
      .chain(([one, after]) =>
        this.#arguments(one, depth).map((args) => `${one.name}(${args.join(', ')})${after}`),
      );
  }

  /** Of the type, or of what stands in for it. */
  like(type: string, depth: number): Arbitrary<string> {
    const sources = this.#vocabulary.casts.get(type) ?? [];
    return fc.oneof(
      { arbitrary: this.#polymorphic(type, depth), weight: 6 },
      ...(sources.length === 0
        ? []
        : [{ arbitrary: fc.constantFrom(...sources).chain((source) => this.of(source, depth)), weight: 2 }]),
      { arbitrary: fc.constantFrom(...untyped(type)), weight: 2 },
      { arbitrary: fc.constantFrom('NULL', PARAMETER), weight: 1 },
    );
  }

  #leaves(type: string): Arbitrary<string>[] {
    const columns = this.#tables.flatMap(({ alias, columns }) =>
      columns.filter((column) => column.type === type).map(({ name }) => `${alias}.${name}`),
    );
    const literals = untyped(type).map((literal) => `${literal}::${type}`);
    const leaves = [fc.constantFrom(...literals, `CAST(NULL AS ${type})`)];
    // A column of its type says more than a literal does.
    return columns.length === 0
      ? leaves
      : [...leaves, fc.constantFrom(...columns), fc.constantFrom(...columns)];
  }

  #composed(type: string, depth: number): Arbitrary<string>[] {
    const less = depth - 1;
    const like = this.like(type, less);
    const condition = this.of('boolean', less);
    const { functions, operators, explicit } = this.#vocabulary;
    const composed = [
      // Whatever is text can be written as any type.
      fc
        .constantFrom('text', ...(explicit.get(type) ?? []))
        .chain((source) => this.of(source, less).map((one) => `(${one})::${type}`)),
      fc
        .tuple(condition, like, like)
        .map(([when, one, other]) => `CASE WHEN ${when} THEN ${one} ELSE ${other} END`),
      fc.tuple(fc.constantFrom('coalesce', 'greatest', 'least', 'nullif'), like, like).map(call),
      like.map((one) => `(SELECT ${one})`),
      ...(type === 'boolean' ? this.#conditions(less) : []),
      ...(type.endsWith('[]') ? this.#arrays(type.slice(0, -2), less) : this.#elements(type, less)),
    ];
    const named = [...(functions.get(type) ?? []), ...(functions.get('anyelement') ?? [])];
    if (named.length > 0) {
      const called = fc
        .constantFrom(...named)
        .chain((one) => this.#arguments(one, less).map((args) => call([one.name, ...args])));
      composed.push(called, called);
    }
    const spelled = operators.get(type) ?? [];
    if (spelled.length > 0) {
      const applied = fc
        .constantFrom(...spelled)
        .chain((one) => this.#arguments(one, less).map((args) => apply(one, args)));
      composed.push(applied, applied);
    }
    return composed;
  }

  #conditions(depth: number): Arbitrary<string>[] {
    const two = this.anyType().chain((type) =>
      fc.tuple(this.like(type, depth), this.like(type, depth), this.like(type, depth)),
    );
    const compared = fc.constantFrom('=', '<>', '<', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM');
    return [
      fc.tuple(two, compared).map(([[one, other], operator]) => `(${one} ${operator} ${other})`),
      two.map(([one, other, third]) => `(${one} IN (${other}, ${third}))`),
      two.map(([one, other, third]) => `(${one} BETWEEN ${other} AND ${third})`),
      two.map(([one, other]) => `((${one}, 1) < (${other}, 2.5))`),
      two.map(([one, other, third]) => `(${one} = ANY (ARRAY[${other}, ${third}]))`),
      two.map(([one, other]) => `(${one} IN (SELECT ${other}))`),
      this.anything(depth).map((one) => `(${one} IS NULL)`),
      this.like('text', depth).map((one) => `(${one} LIKE 'a%')`),
    ];
  }

  #arrays(element: string, depth: number): Arbitrary<string>[] {
    const like = this.like(element, depth);
    return [
      fc.tuple(like, like).map(([one, other]) => `ARRAY[${one}, ${other}]`),
      this.of(element, depth).map((one) => `ARRAY(SELECT ${one})`),
      this.of(`${element}[]`, depth).map((one) => `(${one})[1:2]`),
    ];
  }

  #elements(type: string, depth: number): Arbitrary<string>[] {
    const array = `${type}[]`;
    return array in LITERALS ? [this.of(array, depth).map((one) => `(${one})[1]`)] : [];
  }

  #arguments({ takes }: Callable, depth: number): Arbitrary<string[]> {
    // What is polymorphic has to go together.
    return this.anyType().chain((element) =>
      fc.tuple(...takes.map((type) => this.like(polymorphic(type, element), depth))),
    );
  }

  #polymorphic(type: string, depth: number): Arbitrary<string> {
    return type in LITERALS ? this.of(type, depth) : fc.constant(`NULL::${type}`);
  }
}

function polymorphic(type: string, element: string): string {
  if (/^any(compatible)?(element|nonarray)?$/.test(type)) return element;
  if (/^any(compatible)?array$/.test(type)) return `${element}[]` in LITERALS ? `${element}[]` : 'text[]';
  if (type === 'anyenum') return 'mood';
  if (/^any(compatible)?range$/.test(type)) return 'span';
  return /^any(compatible)?multirange$/.test(type) ? 'spans' : type;
}

/** Literals of no type: as strings, and as numbers where they are some. */
function untyped(type: string): string[] {
  const texts = LITERALS[type] ?? [];
  const strings = texts.map((text) => `'${text}'`);
  return NUMBERS.has(type) ? [...strings, ...texts] : strings.length === 0 ? ['NULL'] : strings;
}

const NUMBERS: ReadonlySet<string> = new Set([
  ...['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision'],
]);

function call([name, ...args]: readonly string[]): string {
  return `${name}(${args.join(', ')})`;
}

function apply({ name }: Callable, args: readonly string[]): string {
  return args.length === 1 ? `(${name} ${args[0]})` : `(${args[0]} ${name} ${args[1]})`;
}
