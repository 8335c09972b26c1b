/**
 * What PostgreSQL's own functions may be given of free text where it is shown in plain columns alone. All others compute with it:
 * the lists are what was looked at.
 */

const words = (list: string) => new Set(list.trim().split(/\s+/));

/** They give a value as it is, or several beside each other, of which each is looked at by itself. */
export const CARRIES: ReadonlySet<string> = words(`
any_value array_agg first_value lag last_value lead max min nth_value text unnest
`);

/** They put values of many rows into one, to be taken apart again. */
export const GATHERS: ReadonlySet<string> = words('array_agg');

/** Their third argument stands for what is not there. */
export const DEFAULTS: ReadonlySet<string> = words('lag lead');

/** Operators' functions that ask whether elements are the same, whole. */
export const ASKS_SAME: ReadonlySet<string> = words('arraycontains arraycontained arrayoverlap');

/** Which of several they give goes by their order. */
export const CHOOSES: ReadonlySet<string> = words('max min');

/** They tell how many there are, and nothing of what they are. */
export const COUNTS: ReadonlySet<string> = words(`
array_length array_lower array_ndims array_upper cardinality count num_nonnulls num_nulls pg_typeof
`);

/** They give what is compared whole, with one argument: letters' case and spaces around it are gone. Never shown. */
export const FOLDS: ReadonlySet<string> = words('btrim casefold lower ltrim rtrim upper');

/** They cut to a length, or fail where it does not fit, as they are told. */
export const FITS: ReadonlySet<string> = words('bpchar varchar');

/** Of what is written out they give nothing but that: no series that nobody wrote. */
export const SPREADS: ReadonlySet<string> = words(`
unnest json_array_elements json_array_elements_text json_to_recordset jsonb_array_elements jsonb_array_elements_text
jsonb_to_recordset
`);
