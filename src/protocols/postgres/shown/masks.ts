import { HoopError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { DetectorSet, Finding } from '../../../masking/detectors/index.ts';
import { maskValue, strongest, type ValueShape } from '../../../masking/mask.ts';
import { maskFindings } from '../../../masking/mask-findings.ts';
import type { MaskKind, PolicyObject } from '../../../policy/model.ts';
import type { Column } from '../../../wire/postgres/rows.ts';
import type { Format } from '../../../wire/postgres/types.ts';
import type { Guard } from '../../stream/guard.ts';
import type { Classification, Classified } from '../catalog/classification.ts';
import { spread } from '../sql/meaning/lineage.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';
import {
  type CellDetector,
  type ColumnAction,
  type MaskCause,
  type RowPlan,
  rowPlan,
  shapeOf,
} from './rows.ts';
import { tells, type WireTypes } from './values/wire-types.ts';

/** What a look at a piece of a value, or a finding in it, costs beside the octets: as much as so many of them. */
const LOOK_OCTETS = 32;

/**
 * What one session's principal may see: which columns are masked, and how, and whether detectors must look at the
 * rest. Made anew when the policy or the catalog changes.
 */
export class SessionMasks implements CellDetector {
  readonly #guard: Guard;
  readonly #resource: PolicyObject;
  readonly #detectors: DetectorSet;
  readonly #detectorTags: readonly string[];
  #classification: Classification | undefined;
  #policyVersion = '';
  #columns: ReadonlyMap<string, MaskKind> = new Map();
  #relations: ReadonlySet<number> = new Set();
  #detectable = new Map<string, MaskKind | 'show'>();
  #kinds = new WeakMap<readonly string[], MaskKind | 'show'>();
  /** Octets of this row that detectors would still look at. */
  #unseen: number = LIMITS.detectedRowBytes;
  /** Some detected kind of value is masked for this principal. */
  detecting = true;
  /** Some column is masked for this principal. */
  masksColumns = true;
  /** Anything at all is masked for this principal. Until the first refresh: assume so. */
  active = true;

  constructor(guard: Guard, resource: PolicyObject, detectors: DetectorSet, detectorTags: readonly string[]) {
    this.#guard = guard;
    this.#resource = resource;
    this.#detectors = detectors;
    this.#detectorTags = detectorTags;
  }

  /** Asks policy again if it or the classification has changed. @returns Whether anything was made anew. */
  refresh(classification: Classification): boolean {
    const version = this.#guard.policyVersion();
    if (classification === this.#classification && version === this.#policyVersion) return false;
    this.#classification = classification;
    this.#policyVersion = version;
    this.#detectable.clear();
    this.#kinds = new WeakMap();
    this.#columns = this.#maskedOf(classification);
    this.#relations = new Set([...this.#columns.keys()].map((key) => Number.parseInt(key, 10)));
    this.detecting = this.#detectorTags.some((tag) => this.kindFor([tag]) !== 'show');
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

  /** As `kindFor`, remembered by the list itself: most findings carry one of a few that all share. */
  readonly #kindOf = (tags: readonly string[]): MaskKind | 'show' => {
    const known = this.#kinds.get(tags);
    if (known !== undefined) return known;
    const kind = this.kindFor(tags);
    this.#kinds.set(tags, kind);
    return kind;
  };

  /** How a detected value with these tags is shown; several tags: the strongest mask. */
  kindFor(tags: readonly string[]): MaskKind | 'show' {
    const masks = tags.map((tag) => this.#kindForTag(tag)).filter((kind) => kind !== 'show');
    return masks.length === 0 ? 'show' : strongest(masks);
  }

  #kindForTag(tag: string): MaskKind | 'show' {
    const known = this.#detectable.get(tag);
    if (known !== undefined) return known;
    const resource = this.#resource;
    const table = {
      type: 'Table',
      id: `${resource.id}/detected`,
      attrs: detectedTable(tag),
      parent: schemaOf(resource),
    };
    const reveal = this.#guard.reveal({
      type: 'Column',
      id: `${resource.id}/detected/${tag}`,
      attrs: { schema: '', table: '', name: tag, tags: [tag], detected: true },
      parent: table,
    });
    const kind = reveal.show ? 'show' : reveal.mask;
    this.#detectable.set(tag, kind);
    return kind;
  }

  isMasked(relation: number, attribute: number): boolean {
    return this.#columns.has(`${relation}.${attribute}`);
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
    return tells(type, this.#detectors.configured, format)
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

  nextRow(): void {
    this.#unseen = LIMITS.detectedRowBytes;
  }

  attends(octets: number): boolean {
    if (octets > this.#unseen) return false;
    this.#unseen -= octets;
    return true;
  }

  suspects(bytes: Uint8Array, start: number, end: number, shape: ValueShape): boolean {
    return this.#detectors.suspects(bytes, start, end, shape);
  }

  detect(value: Uint8Array, shape: ValueShape): Uint8Array | null {
    this.#unseen -= LOOK_OCTETS;
    if (this.#unseen < 0) throw new HoopError('ERR_LIMIT');
    const findings = this.#found(value, shape);
    if (findings === undefined) return maskValue(value, 'redact', shape);
    this.#unseen -= LOOK_OCTETS * findings.length;
    if (findings.length === 0) return value;
    return maskFindings(value, findings, this.#kindOf, shape);
  }

  /** Undefined where there are too many. */
  #found(value: Uint8Array, shape: ValueShape): readonly Finding[] | undefined {
    try {
      return this.#detectors.scan(value, shape);
    } catch {
      return undefined;
    }
  }

  /** Text for people: the audit's and the recording's copy of a statement, without what detectors find in it. */
  cleanText(text: string): string {
    const bytes = Buffer.from(text, 'utf8');
    const findings = this.#detectors.scan(bytes, 'text');
    if (findings.length === 0) return text;
    const masked = maskFindings(bytes, findings, () => 'redact', 'text');
    return masked === null ? '‹withheld›' : Buffer.from(masked).toString('utf8');
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

function schemaOf(resource: PolicyObject) {
  return { type: 'Schema', id: `${resource.id}/detected`, attrs: {}, parent: resource };
}

function detectedTable(tag: string) {
  return { schema: '', name: 'detected', kind: 'detected', system: false, sensitive: false, tags: [tag] };
}
