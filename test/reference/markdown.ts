/** The little Markdown that reference pages are made of. */

/** Every page begins with it. */
const MADE = '<!-- Made by `npm run docs:reference`: change what it is made of. -->';

/** Columns and rows; no line where there is no row. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map((row) => line(row.map(cell)))];
}

export function code(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/** Parts with a blank line between each two. */
export function page(...parts: readonly (readonly string[])[]): string {
  return `${[MADE, ...parts.filter((part) => part.length > 0).map((part) => part.join('\n'))].join('\n\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
