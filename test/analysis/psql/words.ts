const PIECE =
  /\s+|'((?:[^'\\]|\\.|'')*)'|"([^"]*)"|:'([A-Za-z_0-9]+)'|:"([A-Za-z_0-9]+)"|:\{\?([A-Za-z_0-9]+)\}|:([A-Za-z_0-9]+)|`[^`]*`|([^\s'":`]+|[:])/gy;

/**
 * Arguments of a command as psql reads them: words with quotes and variables. What a shell would have to answer is empty.
 *
 * @see PostgreSQL, src/bin/psql/psqlscanslash.l
 */
export function wordsOf(rest: string, variables: ReadonlyMap<string, string>): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const [whole, quoted, named, literal, name, asked, variable, plain] of rest.matchAll(PIECE)) {
    if (/^\s/.test(whole)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    const value = (of: string) => variables.get(of) ?? whole;
    word ??= '';
    if (quoted !== undefined) word += unescaped(quoted);
    else if (named !== undefined) word += named;
    else if (literal !== undefined) word += `'${value(literal).replaceAll("'", "''")}'`;
    else if (name !== undefined) word += `"${value(name)}"`;
    else if (asked !== undefined) word += variables.has(asked) ? 'TRUE' : 'FALSE';
    else if (variable !== undefined) word += value(variable);
    else if (plain !== undefined) word += plain;
  }
  return word === undefined ? words : [...words, word];
}

function unescaped(quoted: string): string {
  const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
  return quoted.replace(/''|\\(.)/gs, (whole, letter?: string) =>
    whole === "''" ? "'" : (letters[letter ?? ''] ?? letter ?? ''),
  );
}

/** Whether `\if` takes it for true: any beginning of such a word will do. */
export function isTrue(word: string): boolean {
  const lower = word.toLowerCase();
  return (
    lower !== '' && (lower === '1' || lower === 'on' || 'true'.startsWith(lower) || 'yes'.startsWith(lower))
  );
}
