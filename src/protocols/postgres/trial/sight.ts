import type { ShownValue } from '../../../api/approvals.ts';
import type { DetectorSet } from '../../../masking/detectors/index.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import { HEADER_BYTES } from '../../../wire/postgres/frame.ts';
import { type Column, DataRow } from '../../../wire/postgres/rows.ts';
import type { Viewer } from '../../adapter.ts';
import { DetectedValues } from '../../stream/detected-values.ts';
import type { KnownCatalog } from '../catalog/service.ts';
import { Entities } from '../entities.ts';
import { type PlainText, SessionMasks } from '../shown/masks.ts';
import { type ColumnAction, type RowPlan, RowRewriter } from '../shown/rows.ts';
import type { StatementFacts } from '../sql/facts/facts.ts';
import { NameScope, type SearchPath } from '../sql/meaning/name-scope.ts';
import { planStatement, type StatementPlan } from '../sql/meaning/resolve.ts';
import type { TextRow } from '../target/side-connection.ts';

/** Characters of one value. */
const SHOWN_CHARS = 200;

/** A value that came from the target, and what becomes of it. */
export interface SeenValue {
  readonly raw: string | null;
  readonly shown: ShownValue;
}

export interface SightParts {
  readonly viewer: Viewer;
  readonly known: KnownCatalog;
  readonly resource: PolicyObject;
  readonly detectors: { readonly set: DetectorSet; readonly tags: readonly string[] };
  readonly plainText: PlainText | undefined;
}

/** What one person may see of a target: what a statement of their own would show them, by the same plans and masks. */
export class Sight {
  readonly #parts: SightParts;
  readonly #masks: SessionMasks;
  readonly #rewriter = new RowRewriter();

  constructor(parts: SightParts) {
    this.#parts = parts;
    const { viewer, resource, detectors, known, plainText } = parts;
    const entities = new Entities(resource);
    const alike = (tag: string) => [entities.detectedColumn(tag)];
    const detected = new DetectedValues(viewer, resource, detectors.set, detectors.tags, alike);
    this.#masks = new SessionMasks(viewer, detected, { plainText });
    this.#masks.refresh(known.classification);
  }

  /** Some column is masked for them. */
  get masksColumns(): boolean {
    return this.#masks.masksColumns;
  }

  plan(facts: StatementFacts, path: SearchPath, types: readonly number[] = []): StatementPlan {
    const { known, resource } = this.#parts;
    const masks = this.#masks;
    const { clearInto, plainOnly } = masks.planning;
    return planStatement(facts, known.catalog, {
      resource,
      parameterTypes: types,
      tagsOf: known.classification.tagsOf,
      columnTags: known.classification.ofRelation,
      isMasked: (relation, attribute) => masks.isMasked(relation, attribute),
      anyMasked: masks.active,
      masksColumns: masks.masksColumns,
      ...(clearInto === undefined ? {} : { clearInto }),
      plainOnly,
      names: new NameScope(known.catalog, path),
      searchPaths: [],
    });
  }

  /** Whether policy lets them connect and do this themselves, as it is: nothing of it held, nothing refused. */
  mayDo({ pairs, context, refusal }: StatementPlan): boolean {
    const { viewer, resource } = this.#parts;
    return (
      refusal === undefined && viewer.allows([{ action: 'connect', object: resource }, ...pairs], context)
    );
  }

  /** @param columns As the server describes them. @param rows As it sent them, in text. */
  seen(columns: readonly Column[], rows: readonly TextRow[], plan: StatementPlan): SeenValue[][] {
    const how = this.#masks.rowPlan(columns, plan);
    return rows.map((row) => {
      const masked = this.#masked(row, how);
      return row.map((raw, at) => ({ raw, shown: shownValue(masked[at] ?? null, raw, how.actions[at]) }));
    });
  }

  #masked(row: TextRow, rowPlan: RowPlan): TextRow {
    const values = row.map((value) => (value === null ? null : Buffer.from(value)));
    const chunk = DataRow.encode({ values });
    const masked = this.#rewriter.rewrite(
      { chunk, start: 0, end: chunk.length },
      rowPlan,
      this.#masks.detected,
    );
    if (masked === undefined) return row;
    const { piece } = masked;
    const body = piece.chunk.subarray(piece.start + HEADER_BYTES, piece.end);
    const shown = DataRow.decode(body).values.map((value) => value?.toString('utf8') ?? null);
    this.#rewriter.reset();
    return shown;
  }
}

/** In the place of what may hold something that is masked. */
export const HIDDEN: ShownValue = { text: '***', masked: true };

function shownValue(text: string | null, raw: string | null, action: ColumnAction | undefined): ShownValue {
  const masked =
    text !== raw || (action?.kind === 'mask' && action.document === undefined && raw !== null)
      ? ({ masked: true } as const)
      : {};
  const cut = (text?.length ?? 0) > SHOWN_CHARS;
  return { text: cut ? text!.slice(0, SHOWN_CHARS) : text, ...masked, ...(cut ? { cut: true } : {}) };
}
