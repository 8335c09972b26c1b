import { quotedName } from '../../../core/quoted-name.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import type { CatalogService } from '../catalog/service.ts';
import { catalogUnavailable } from '../catalog/unavailable.ts';
import { Entities } from '../entities.ts';
import { HINTS } from '../hints.ts';
import type { PostgresRefusal } from '../refusals.ts';
import type { SessionMasks } from '../shown/masks.ts';
import { resolveOid } from '../sql/meaning/functions.ts';
import { type Planned, refused, type StatementPlanner } from './planner.ts';

const CALL = '‹function call›';

const WHILE_MASKED: PostgresRefusal = {
  code: 'ERR_DENIED',
  rule: 'function-call',
  reason: 'a function call answers with a bare value, which cannot be traced, and values here are masked',
  hint: HINTS.callByName,
};

/**
 * Understands the function-call message: it names a function by OID and nothing else, and asks for no more than calling
 * that function would in a SELECT, plus `sql.call` on the function itself, whatever its class.
 */
export class FunctionCalls {
  readonly #catalog: CatalogService;
  readonly #planner: StatementPlanner;
  readonly #masks: SessionMasks;
  readonly #entities: Entities;

  constructor(parts: {
    readonly catalog: CatalogService;
    readonly planner: StatementPlanner;
    readonly masks: SessionMasks;
    readonly resource: PolicyObject;
  }) {
    this.#catalog = parts.catalog;
    this.#planner = parts.planner;
    this.#masks = parts.masks;
    this.#entities = new Entities(parts.resource);
  }

  /**
   * @param oid As the message names it; the catalog of the gateway's own says which function that is.
   * @returns A plan with `refusal` where the function is not known, anything is masked for the principal, or the catalog
   *   cannot be read.
   */
  async plan(oid: number): Promise<Planned> {
    const known = await this.#catalog.current().catch(catalogUnavailable);
    if ('rule' in known) return refused(CALL, known);
    const found = resolveOid(oid, known.catalog);
    if (found === undefined) return refused(CALL, unknownFunction(oid));
    const text = `SELECT ${quotedName(found.schema)}.${quotedName(found.name)}()`;
    const planned = await this.#planner.plan(text);
    const call = {
      action: 'sql.call',
      object: this.#entities.function(found.schema, found.name, found.class),
    };
    const pairs = [...planned.pairs, call];
    return { ...planned, pairs, ...(this.#masks.active ? { refusal: WHILE_MASKED } : {}) };
  }
}

function unknownFunction(oid: number): PostgresRefusal {
  const reason = `a function with the OID ${oid} is not known`;
  return { code: 'ERR_DENIED', rule: 'unknown-function', reason, hint: HINTS.callByName };
}
