import { LineCounter, parseDocument } from 'yaml';
import { yamlFault } from '../../../../core/config/yaml-fault.ts';

/** What is wrong with a file. */
export interface OpenApiMistake {
  /** From 1, where it is known. */
  readonly line: number | undefined;
  /** `paths./users.get`; empty: the whole file. */
  readonly at: string;
  readonly problem: string;
  readonly cure: string;
}

/** Characters. */
const MAX_LENGTH = 8 * 1024 * 1024;
const MAX_REFERENCES = 32;

export type Mapping = Readonly<Record<string, unknown>>;

/** Where something stands in a file. */
export type Place = readonly string[];

export class Mistake extends Error {
  readonly place: Place;
  readonly cure: string;

  constructor(place: Place, problem: string, cure: string) {
    super(problem);
    this.place = place;
    this.cure = cure;
  }
}

/** A file as values, and where they stand. Nothing outside of it is read. */
export class OpenApiDocument {
  readonly root: Mapping;
  readonly #line: (place: Place) => number | undefined;

  private constructor(root: Mapping, line: (place: Place) => number | undefined) {
    this.root = root;
    this.#line = line;
  }

  /** Reads YAML or JSON. */
  static read(text: string): OpenApiDocument | OpenApiMistake {
    const whole = { line: undefined, at: '' };
    if (text.length > MAX_LENGTH)
      return { ...whole, problem: 'is longer than 8 MiB', cure: 'leave out what nobody may use' };
    if (/^\s*\{/.test(text)) return OpenApiDocument.#readJson(text);
    const counter = new LineCounter();
    const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, uniqueKeys: true });
    const [fault] = document.errors;
    if (fault !== undefined) {
      const lineOf = (offset: number) => counter.linePos(offset).line;
      const { path, problem, cure } = yamlFault(document.contents, fault, lineOf);
      return { line: lineOf(fault.pos[0]), at: path, problem, cure: cure || 'correct it' };
    }
    const line = (place: Place) => {
      const node = document.getIn(place, true) as { readonly range?: readonly number[] } | undefined;
      const start = node?.range?.[0];
      return start === undefined ? undefined : counter.linePos(start).line;
    };
    try {
      return OpenApiDocument.#of(document.toJS({ maxAliasCount: 100 }), line);
    } catch {
      return { ...whole, problem: 'has too many aliases', cure: 'use $ref in their place' };
    }
  }

  static #readJson(text: string): OpenApiDocument | OpenApiMistake {
    try {
      return OpenApiDocument.#of(JSON.parse(text), () => undefined);
    } catch (error) {
      const problem = `is not JSON: ${(error as SyntaxError).message.slice(0, 200)}`;
      return { line: undefined, at: '', problem, cure: 'correct it' };
    }
  }

  static #of(root: unknown, line: (place: Place) => number | undefined): OpenApiDocument | OpenApiMistake {
    if (isMapping(root)) return new OpenApiDocument(root, line);
    return { line: 1, at: '', problem: 'is no mapping', cure: 'begin it with openapi: 3.1.0' };
  }

  /**
   * The mapping at a place, behind its references.
   *
   * @throws {Mistake} It is none, or a reference leads out of the file, nowhere or in a circle.
   */
  mapping(value: unknown, place: Place): Mapping {
    let found = value;
    for (let step = 0; step <= MAX_REFERENCES; step++) {
      if (!isMapping(found))
        throw new Mistake(place, 'is no mapping', 'write it as the OpenAPI Specification has it');
      const reference = own(found, '$ref');
      if (reference === undefined) return found;
      if (typeof reference !== 'string' || !reference.startsWith('#/'))
        throw new Mistake(place, 'refers to something outside of the file', 'bundle the files into one');
      found = this.#at(reference);
      if (found === undefined)
        throw new Mistake(place, `refers to ${reference}, which is not there`, 'correct it');
    }
    throw new Mistake(place, 'refers to itself', 'write out what it is');
  }

  #at(reference: string): unknown {
    let found: unknown = this.root;
    for (const token of reference.slice(2).split('/')) {
      const key = unescaped(token);
      if (Array.isArray(found)) found = found[Number(key)];
      else found = isMapping(found) ? own(found, key) : undefined;
    }
    return found;
  }

  mistake({ place, message, cure }: Mistake): OpenApiMistake {
    return { line: this.#line(place), at: place.join('.'), problem: message, cure };
  }
}

/** A token of a JSON pointer in a fragment: RFC 6901 §6. */
function unescaped(token: string): string {
  try {
    return decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return token;
  }
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member of the mapping itself, none that every object has. */
export function own(mapping: Mapping, key: string): unknown {
  return Object.hasOwn(mapping, key) ? mapping[key] : undefined;
}
