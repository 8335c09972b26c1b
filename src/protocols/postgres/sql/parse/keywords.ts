/**
 * The words that are not the same to every grammar from PostgreSQL 13 to 18, and what each of the six takes them for: `-`
 * an identifier like any other, `U` a keyword that may still name anything, `C` one that may name columns but no function
 * or type, `R` a reserved word.
 *
 * Printed by `test/support/postgres/keyword-table.ts` from what `pg_get_keywords()` of 13.23, 14.23, 15.20, 16.14, 17.10 and 18.4
 * says.
 *
 * @see https://www.postgresql.org/docs/current/sql-keywords-appendix.html
 */
export const CHANGED_KEYWORDS = `
absent ---UUU
asensitive -UUUUU
atomic -UUUUU
breadth -UUUUU
compression -UUUUU
conditional ----UU
depth -UUUUU
empty ----UU
enforced -----U
error ----UU
finalize -UUUUU
format ---UUU
indent ---UUU
json ---UCC
json_array ---CCC
json_arrayagg ---CCC
json_exists ----CC
json_object ---CCC
json_objectagg ---CCC
json_query ----CC
json_scalar ----CC
json_serialize ----CC
json_table ----CC
json_value ----CC
keep ----UU
keys ---UUU
matched --UUUU
merge --UUUU
merge_action ----CC
nested ----UU
objects -----U
omit ----UU
parameter --UUUU
path ----UU
period -----U
plan ----UU
quotes ----UU
recheck UUUUU-
return -UUUUU
scalar ---UUU
source ----UU
string ----UU
system_user ---RRR
target ----UU
unconditional ----UU
virtual -----U
`;

export const OLDEST_MAJOR = 13;
/** Whose grammar is the one that parses. */
export const NEWEST_MAJOR = 18;
/** What 16 reads as a number, and versions before it as a number with a name behind it, or as an error. */
const NEWER_NUMBER = /^0[xob]|_/i;
/** The first major to read such numbers. */
export const NEWER_NUMBERS_SINCE = 16;

/** Per major, the words that it takes for identifiers although the grammar has them as keywords. */
const PLAIN = new Map<number, ReadonlySet<string>>();
/** Per major, what a text must hold to be read otherwise than by the grammar. */
const MARKS = new Map<number, RegExp>();
for (let major = OLDEST_MAJOR; major < NEWEST_MAJOR; major++) {
  const rows = CHANGED_KEYWORDS.trim()
    .split('\n')
    .map((row) => row.split(' ') as [string, string]);
  const plain = rows.filter(([, kinds]) => isPlain(kinds, major)).map(([word]) => word);
  PLAIN.set(major, new Set(plain));
  const numbers = major < NEWER_NUMBERS_SINCE ? '|[0-9]_[0-9]|0[xob][0-9a-f_]' : '';
  MARKS.set(major, new RegExp(`\\b(?:${plain.join('|')})\\b${numbers}`, 'i'));
}

/** 16 has `json` as a word that may name anything, so as a name it is one: see `readAs`. */
function isPlain(kinds: string, major: number): boolean {
  const [then, now] = [kinds[major - OLDEST_MAJOR], kinds[NEWEST_MAJOR - OLDEST_MAJOR]];
  return now !== '-' && then !== now;
}

/** Whether a server of that major may read anything in the text otherwise than the grammar does. */
export function readsOtherwise(text: string, major: number): boolean {
  return MARKS.get(major)?.test(text) === true;
}

/** Whether that major takes an unquoted word for a name where the grammar has a keyword. */
export function isPlainName(word: string, major: number): boolean {
  return PLAIN.get(major)?.has(word) === true;
}

export function isNewerNumber(token: string): boolean {
  return NEWER_NUMBER.test(token);
}
