import type { AnalysisCatalog } from '../../../src/protocols/postgres/sql/analysis/catalog.ts';
import type { Session } from '../session.ts';
import { castKey, type Layer, layerOf } from './layer.ts';
import { NAMESPACES, OBJECTS, QUERIES, type Rows, SESSION, WRITTEN } from './queries.ts';

/** Rows with a lower OID came with the server: read once. */
const FIRST_OWN = 16_384;
const AFTER_LAST = 4_294_967_295;

/** Reads the catalog as one session sees it, again and again: what came with the server does not change. */
export class CatalogReader {
  readonly #session: Session;
  #builtIn: Layer | undefined;
  #written = '';
  #objects = '';

  constructor(session: Session) {
    this.#session = session;
  }

  /** @throws {Error} The session cannot be asked: its transaction has failed, or it is closed. */
  async read(): Promise<AnalysisCatalog> {
    this.#builtIn ??= layerOf(rowsOf(await this.#ask(...inRange(0, FIRST_OWN))));
    const [written, objects, seen, names, ...rows] = await this.#ask(
      ...[WRITTEN, OBJECTS, SESSION, NAMESPACES],
      ...inRange(FIRST_OWN, AFTER_LAST),
    );
    this.#written = String(written);
    this.#objects = String(objects);
    const [version, temporary, path] = seen?.[0] ?? [];
    return catalogOf(this.#builtIn, layerOf(rowsOf(rows)), {
      major: Math.floor(Number(version) / 10_000),
      temporary: temporary === '0' ? undefined : Number(temporary),
      path: (path ?? '').split(' ').filter(Boolean).map(Number),
      namespaces: new Map(names?.map(([name, oid]) => [name ?? '', Number(oid)])),
    });
  }

  /** Whether something has changed since the catalog was read: by a function, say, of which no tag tells. */
  async isStale(): Promise<boolean> {
    const [written] = await this.#ask(WRITTEN);
    if (written?.[0]?.[0] === null && String(written) === this.#written) return false;
    const [objects] = await this.#ask(OBJECTS);
    return String(objects) !== this.#objects;
  }

  async #ask(...questions: readonly string[]): Promise<Answer[]> {
    const answers = await this.#session.ask(questions);
    return answers.map(({ rows, error }) => {
      if (error !== undefined) throw new Error(`the catalog cannot be read: ${error}`);
      return rows;
    });
  }
}

type Answer = readonly (readonly (string | null)[])[];

function inRange(from: number, below: number): string[] {
  return Object.values(QUERIES).map((sql) =>
    sql.replaceAll(/(\S+) >= \$from/g, `$1 >= ${from} AND $1 < ${below}`),
  );
}

function rowsOf(answers: readonly Answer[]): Rows {
  return Object.fromEntries(Object.keys(QUERIES).map((name, index) => [name, answers[index] ?? []])) as Rows;
}

interface Seen {
  readonly major: number;
  readonly temporary: number | undefined;
  readonly path: readonly number[];
  readonly namespaces: ReadonlyMap<string, number>;
}

function catalogOf(builtIn: Layer, own: Layer, seen: Seen): AnalysisCatalog {
  const one =
    <K, V>(pick: (layer: Layer) => ReadonlyMap<K, V>) =>
    (key: K): V | undefined =>
      pick(own).get(key) ?? pick(builtIn).get(key);
  const all =
    <K, V>(pick: (layer: Layer) => ReadonlyMap<K, readonly V[]>) =>
    (key: K): readonly V[] => {
      const [first, second] = [pick(builtIn).get(key), pick(own).get(key)];
      if (first === undefined || second === undefined) return first ?? second ?? [];
      return [...first, ...second];
    };
  const cast = one((layer) => layer.casts);
  return {
    major: seen.major,
    path: seen.path,
    temporary: seen.temporary,
    namespace: (name) => (name === 'pg_temp' ? seen.temporary : seen.namespaces.get(name)),
    type: one((layer) => layer.types),
    typesNamed: all((layer) => layer.typesNamed),
    function: one((layer) => layer.functions),
    functionsNamed: all((layer) => layer.functionsNamed),
    operator: one((layer) => layer.operators),
    operatorsNamed: all((layer) => layer.operatorsNamed),
    cast: (source, target) => cast(castKey(source, target)),
    relation: one((layer) => layer.relations),
    relationsNamed: all((layer) => layer.relationsNamed),
    parentsOf: all((layer) => layer.parents),
    rangesOf: all((layer) => layer.ranges),
    operatorClasses: all((layer) => layer.classes),
    familyOperators: all((layer) => layer.members),
    inRangeFunctions: all((layer) => layer.inRange),
    primaryKey: one((layer) => layer.keys),
  };
}
