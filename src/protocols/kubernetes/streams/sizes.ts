/** Cells of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Octets of one size: two numbers with their names. */
const MAX_OBJECT = 256;
const MAX_CELLS = 0xffff;

/** Reads sizes of a terminal as clients send them, one after the other, in whatever pieces they come. Pure. */
export class SizeReader {
  #text = '';

  /** @returns Undefined: they are none. */
  push(bytes: Buffer): readonly Size[] | undefined {
    const parts = (this.#text + bytes.toString('latin1')).split('}');
    this.#text = parts.pop()!;
    if (this.#text.length > MAX_OBJECT) return undefined;
    const sizes = parts.map((part) => sizeOf(`${part}}`));
    return sizes.every((size) => size !== undefined) ? sizes : undefined;
  }
}

/** As clients write it. Pure. */
export function sizeText({ columns, rows }: Size): Buffer {
  return Buffer.from(`{"Width":${columns},"Height":${rows}}\n`);
}

function sizeOf(text: string): Size | undefined {
  try {
    const { Width: columns, Height: rows } = JSON.parse(text) as Record<string, unknown>;
    return isCells(columns) && isCells(rows) ? { columns, rows } : undefined;
  } catch {
    return undefined;
  }
}

function isCells(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_CELLS;
}
