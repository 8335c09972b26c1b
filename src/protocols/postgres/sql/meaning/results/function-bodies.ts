import type { Catalog, CatalogFunction } from '../../../catalog/model/model.ts';
import type { ParsedSql, StatementFacts } from '../../facts/facts.ts';

type Parse = (text: string) => Promise<ParsedSql>;

/** Functions whose text is read for one statement. */
const MAX_TEXTS = 64;

/**
 * What stands in the text of functions in SQL, read before a statement is judged: to read takes a thread, to judge must not wait.
 */
export class FunctionBodies {
  readonly #parsed = new Map<string, readonly StatementFacts[] | undefined>();

  /** Statements of a text; undefined: it was not read, or cannot be. */
  of(text: string): readonly StatementFacts[] | undefined {
    return this.#parsed.get(text);
  }

  /**
   * Reads what these statements may call, and what that may call.
   *
   * @param parse May reject: then nothing is known of the text.
   */
  async learn(catalog: Catalog, statements: readonly StatementFacts[], parse: Parse): Promise<void> {
    const seen = new Set<CatalogFunction>();
    const queue = statements.flatMap((facts) => namedIn(catalog, facts));
    let left = MAX_TEXTS;
    for (let fn = queue.pop(); fn !== undefined; fn = queue.pop()) {
      const { text, tree } = fn.code ?? {};
      if (seen.has(fn)) continue;
      seen.add(fn);
      const called = [...(fn.parts?.functions ?? []), ...(tree?.()?.calls ?? []).map(([oid]) => oid)];
      queue.push(...called.flatMap((oid) => catalog.functions.get(oid) ?? []));
      if (typeof text !== 'string') continue;
      if (!this.#parsed.has(text)) {
        if (--left < 0) return;
        this.#parsed.set(text, await statementsOf(text, parse));
      }
      for (const facts of this.#parsed.get(text) ?? []) queue.push(...namedIn(catalog, facts));
    }
  }
}

async function statementsOf(text: string, parse: Parse): Promise<readonly StatementFacts[] | undefined> {
  try {
    return (await parse(text)).statements;
  } catch {
    return undefined;
  }
}

function namedIn(catalog: Catalog, { functions }: StatementFacts): CatalogFunction[] {
  const names = new Set(functions.map(({ name }) => name.at(-1) ?? ''));
  return [...names].flatMap((name) => catalog.userFunctions([name]).filter(isReadable));
}

function isReadable({ code, parts }: CatalogFunction): boolean {
  return code !== undefined || parts !== undefined;
}
