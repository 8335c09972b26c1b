import type { Catalog } from '../catalog/model/model.ts';
import type { ParsedSql, StatementFacts } from '../sql/facts/facts.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';
import { FunctionBodies } from '../sql/meaning/results/function-bodies.ts';
import { FunctionReads } from '../sql/meaning/results/function-reads.ts';

/** What a session knows of functions in SQL: of the catalog that it judges by, and of no older one. */
export class KnownFunctions {
  #of:
    | { readonly catalog: Catalog; readonly bodies: FunctionBodies; readonly reads: FunctionReads }
    | undefined;

  /**
   * @param statements Of which calls are judged next: what these may call is read here.
   * @param parse As `FunctionBodies.learn` has it, of the server's major version.
   */
  async reads(
    catalog: Catalog,
    statements: readonly StatementFacts[],
    parse: (text: string, major: number) => Promise<ParsedSql>,
  ): Promise<FunctionReads> {
    if (this.#of?.catalog !== catalog) {
      const bodies = new FunctionBodies();
      this.#of = { catalog, bodies, reads: new FunctionReads(catalog, bodies) };
    }
    const { bodies, reads } = this.#of;
    const major = Math.floor(catalog.serverVersion / 10_000);
    await bodies.learn(catalog, statements, (text) => parse(text, major));
    return reads;
  }
}

/** What follows in the same string may call other functions, or read them otherwise, than the catalog says. */
export function mayReplaceFunctions({ ddl, names }: StatementPlan): boolean {
  return ddl || names.steers || names.reshapes;
}
