import { NoticeResponse, type ReportField } from '../../../wire/postgres/report.ts';
import type { MaskCause, RowPlan } from './rows.ts';

/** A warning (class 01) of the gateway's own: subclasses from I on are free for implementations. */
export const WITHHELD_SQLSTATE = '01H01';

/** Names that one notice lists. */
const SHOWN_COLUMNS = 20;

const CAUSES: readonly (readonly [MaskCause, string])[] = [
  ['policy', 'masked for you by policy'],
  ['untraced', 'cannot be traced to columns that are not masked for you'],
  ['unknown', 'of a relation that this statement was not judged by'],
];

/** What one statement's rows did not show. Collected over its rows, told once. */
export class Withheld {
  #masked = 0;
  #nulls = 0;
  readonly #told = new WeakSet<object>();
  readonly #computed = new WeakSet<object>();

  add(maskedValues: number, nullValues: number): void {
    this.#masked += maskedValues;
    this.#nulls += nullValues;
  }

  /** Forgets what was collected. */
  clear(): void {
    this.#masked = 0;
    this.#nulls = 0;
  }

  /**
   * What is to be told at the end of a statement's rows; what was collected is forgotten.
   *
   * @param plan What the rows were shown by.
   * @param portal Whose rows they are, if of one: it is told once for all of them.
   * @returns A NoticeResponse.
   */
  told(plan: RowPlan | undefined, portal?: object): Buffer | undefined {
    const fields = plan === undefined ? undefined : this.#notice(plan);
    this.clear();
    if (fields === undefined || (portal !== undefined && this.#told.has(portal))) return undefined;
    if (portal !== undefined) this.#told.add(portal);
    return NoticeResponse.encode({ fields });
  }

  /**
   * That a query had masks in place of what is masked: its answer is right for these, and not for what they hide.
   *
   * @param columns Undefined: it had not.
   * @param portal As of `told`.
   */
  computed(columns: readonly string[] | undefined, portal?: object): Buffer | undefined {
    if (columns === undefined || (portal !== undefined && this.#computed.has(portal))) return undefined;
    if (portal !== undefined) this.#computed.add(portal);
    const [one, ...more] = columns;
    const named =
      more.length === 0 ? `Column ${one}` : `Columns ${columns.slice(0, SHOWN_COLUMNS).join(', ')}`;
    const rest = columns.length > SHOWN_COLUMNS ? ` and ${columns.length - SHOWN_COLUMNS} more` : '';
    return NoticeResponse.encode({
      fields: [
        ['S', 'WARNING'],
        ['V', 'WARNING'],
        ['C', WITHHELD_SQLSTATE],
        ['M', 'this answer was computed with masks in place of masked values'],
        [
          'D',
          `${named}${rest}: masked for you by policy. What is compared, sorted, grouped or computed is the mask.`,
        ],
      ],
    });
  }

  /**
   * Says that values are missing where their masks alone do not: NULL looks like a value of its own, and of what was
   * masked for its uncertain source nobody can know why. Stars by policy speak for themselves.
   */
  #notice(plan: RowPlan): readonly ReportField[] | undefined {
    const uncertain = plan.causes.some((cause) => cause !== undefined && cause !== 'policy');
    if (this.#nulls === 0 && (!uncertain || this.#masked === 0)) return undefined;
    const columns = plan.causes.filter((cause) => cause !== undefined).length;
    const of = columns === 0 ? '' : ` of ${counted(columns, 'column')}`;
    const nulls = this.#nulls === 0 ? '' : `, ${this.#nulls} of them as NULL`;
    const reasons = CAUSES.flatMap(([cause, words]) => {
      const positions = plan.causes.flatMap((one, index) => (one === cause ? [index + 1] : []));
      if (positions.length === 0) return [];
      return [`${positions.length === 1 ? 'Column' : 'Columns'} ${positions.join(', ')}: ${words}.`];
    });
    if (plan.actions.some(({ kind }) => kind === 'detect')) reasons.push('Others: as their content says.');
    return [
      ['S', 'NOTICE'],
      ['V', 'NOTICE'],
      ['C', WITHHELD_SQLSTATE],
      ['M', `${counted(this.#masked, 'value')}${of} ${this.#masked === 1 ? 'is' : 'are'} masked${nulls}`],
      ['D', reasons.join(' ')],
    ];
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
