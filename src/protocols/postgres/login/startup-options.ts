/**
 * Reads the startup parameter `options` (`PGOPTIONS`), which is a command line for the server's process.
 *
 * Words stand between white space; a backslash takes the next character as it is. Understood are the spellings that set
 * a parameter: `-c name=value`, `-cname=value` and `--name=value`, where a dash in the name is an underscore.
 *
 * @returns Pairs of name (lower case) and value, in order; undefined if any word is something else. Pure. Never throws.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-OPTIONS
 */
export function startupOptions(text: string): readonly (readonly [string, string])[] | undefined {
  const settings: [string, string][] = [];
  const words = split(text);
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const joined = /^(?:-c|--)(.+)$/s.exec(word)?.[1];
    const setting = word === '-c' ? words[++at] : joined;
    const equals = setting?.indexOf('=') ?? -1;
    if (setting === undefined || equals < 1) return undefined;
    settings.push([setting.slice(0, equals).replaceAll('-', '_').toLowerCase(), setting.slice(equals + 1)]);
  }
  return settings;
}

function split(text: string): string[] {
  const words = text.match(/(?:\\[\s\S]|[^\\ \t\n\v\f\r])+/g) ?? [];
  return words.map((word) => word.replace(/\\([\s\S])/g, '$1'));
}
