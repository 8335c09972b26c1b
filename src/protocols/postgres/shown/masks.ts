import { strongest } from '../../../masking/mask.ts';
import type { MaskKind, PolicyObject } from '../../../policy/model.ts';
import type { Column } from '../../../wire/postgres/rows.ts';
import type { Format } from '../../../wire/postgres/types.ts';
import type { DetectedValues } from '../../stream/detected-values.ts';
import type { Guard } from '../../stream/guard.ts';
import type { Classification, Classified } from '../catalog/classification.ts';
import { type ColumnAt, columnKey, spread } from '../sql/meaning/lineage.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';
import { type ColumnAction, type MaskCause, type RowPlan, rowPlan, shapeOf } from './rows.ts';
import { tells, type WireTypes } from './values/wire-types.ts';

/**
 * What one session's principal may see: which columns are masked, and how, and whether detectors must look at the
 * rest. Made anew when the policy or the catalog changes.
 */
export class SessionMasks {
  readonly detected: DetectedValues;
  readonly #guard: Pick<Guard, 'reveal' | 'policyVersion'>;
  #classification: Classification | undefined;
  #policyVersion = '';
  #columns: ReadonlyMap<string, MaskKind> = new Map();
  #relations: ReadonlySet<number> = new Set();
  /** Some column is masked for this principal. */
  masksColumns = true;
  /** Anything at all is masked for this principal. Until the first refresh: assume so. */
  active = true;

  constructor(guard: Pick<Guard, 'reveal' | 'policyVersion'>, detected: DetectedValues) {
    this.#guard = guard;
    this.detected = detected;
  }

  /** Some detected kind of value is masked for this principal. */
  get detecting(): boolean {
    return this.detected.masks;
  }

  /** Asks policy again if it or the classification has changed. @returns Whether anything was made anew. */
  refresh(classification: Classification): boolean {
    const version = this.#guard.policyVersion();
    if (classification === this.#classification && version === this.#policyVersion) return false;
    this.#classification = classification;
    this.#policyVersion = version;
    this.detected.refresh();
    this.#columns = this.#maskedOf(classification);
    this.#relations = new Set([...this.#columns.keys()].map((key) => Number.parseInt(key, 10)));
    this.masksColumns = this.#columns.size > 0;
    this.active = this.detecting || this.masksColumns;
    return true;
  }

  /** What policy masks, and wherever that can be seen; of unknown source is a danger only where there is something to show. */
  #maskedOf(classification: Classification): Map<string, MaskKind> {
    const seeds = classification.columns.flatMap((column) => {
      const kind = this.#askColumn(column);
      return kind === 'show' ? [] : [[column, kind] as const];
    });
    const unknown = seeds.length === 0 ? [] : classification.unknown.map((one) => [one, 'redact'] as const);
    const masked = spread<MaskKind>(
      [...seeds, ...unknown],
      (known, more) => strongest([known, more]),
      (column) => classification.shownIn(column),
    );
    return new Map([...masked].map(([key, [, kind]]) => [key, kind]));
  }

  #askColumn(column: Classified): MaskKind | 'show' {
    const reveal = this.#guard.reveal(column.object);
    return reveal.show ? 'show' : reveal.mask;
  }

  isMasked(relation: number, attribute: number): boolean {
    return this.#columns.has(`${relation}.${attribute}`);
  }

  /** How a column is masked; undefined: it is not. */
  maskOf(column: ColumnAt): MaskKind | undefined {
    return this.#columns.get(columnKey(column));
  }

  /** Entities of the columns of these relations that are masked. */
  maskedIn(relations: readonly number[]): readonly PolicyObject[] {
    const columns = [...new Set(relations)].flatMap((one) => this.#classification?.ofRelation(one) ?? []);
    return columns
      .filter(({ relation, attribute }) => this.isMasked(relation, attribute))
      .map(({ object }) => object);
  }

  /** Any column of the relation is masked. */
  masksRelation(relation: number): boolean {
    return this.#relations.has(relation);
  }

  /**
   * What becomes of each output column: by provenance where the server gives it, by the statement's analysis where
   * that is certain, and masked otherwise.
   */
  rowPlan(columns: readonly Column[], plan: StatementPlan): RowPlan {
    const { outputColumns = columns.length } = plan;
    const counted = outputColumns === columns.length || plan.safeColumns === 'all';
    const certain = counted ? plan : { ...plan, safeColumns: [] };
    const masks = columns.map((column, index) => this.#maskOf(column, index, certain));
    const actions = columns.map((column, index) => this.#action(column, masks[index]));
    return rowPlan(
      actions,
      masks.map((mask) => mask?.cause),
    );
  }

  #action({ typeOid, format }: Column, mask: ColumnMask | undefined): ColumnAction {
    if (mask === undefined) return this.#look(typeOid, format);
    return { kind: 'mask', mask: mask.kind, shape: shapeOf(typeOid, format) };
  }

  /** Of the catalog that is in force; undefined before the first refresh. */
  get types(): WireTypes | undefined {
    return this.#classification?.types;
  }

  /** What becomes of values that no column's mask is for. */
  #look(typeOid: number, format: Format): ColumnAction {
    if (!this.detecting) return { kind: 'show' };
    const types = this.#classification?.types;
    if (types === undefined) return { kind: 'mask', mask: 'null', shape: 'opaque' };
    const type = types.of(typeOid);
    return tells(type, this.detected.configured, format)
      ? { kind: 'detect', type, format, types }
      : { kind: 'show' };
  }

  #maskOf(column: Column, index: number, plan: StatementPlan): ColumnMask | undefined {
    const { tableOid, attributeNumber } = column;
    if (!this.active) return undefined;
    if (tableOid === 0) return isSafe(index, plan) || !this.masksColumns ? undefined : UNTRACED;
    if (this.#classification?.knows(tableOid) !== true) return UNKNOWN;
    // What the statement was judged by does not name it: the server has read something else.
    if (this.masksColumns && !plan.relations.includes(tableOid)) return UNKNOWN;
    if (attributeNumber === 0) return this.masksRelation(tableOid) ? UNTRACED : undefined;
    const kind = this.#columns.get(`${tableOid}.${attributeNumber}`);
    return kind === undefined ? undefined : { kind, cause: 'policy' };
  }
}

interface ColumnMask {
  readonly kind: MaskKind;
  readonly cause: MaskCause;
}

const UNTRACED: ColumnMask = { kind: 'redact', cause: 'untraced' };
const UNKNOWN: ColumnMask = { kind: 'redact', cause: 'unknown' };

function isSafe(index: number, { safeColumns }: StatementPlan): boolean {
  return safeColumns === 'all' || safeColumns.includes(index);
}
