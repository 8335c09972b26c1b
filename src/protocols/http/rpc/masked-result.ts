import type { FieldState } from '../../../masking/json/field-states.ts';
import { JsonMasker } from '../../../masking/json/json-masker.ts';
import { STARS } from '../../../masking/mask.ts';
import { type Edit, elementsOf, membersOf, type Span, stringAt } from './json-spans.ts';

/** What stands for content that cannot be read by its members. */
const HIDDEN_BLOCK = JSON.stringify({ type: 'text', text: STARS.toString() });
const HIDDEN = JSON.stringify(STARS.toString());
const NO_OCTETS = '""';

type Edits = readonly Edit[];

/**
 * Masks members of results: in `structuredContent` and whatever else a result has, and in texts that are JSON themselves, as
 * tools say the same once more. Text that is no JSON, images and sounds could hold anything, and are hidden.
 *
 * Texts that it is given are well-formed.
 */
export class ResultMasker {
  readonly #fields: FieldState;
  maskedValues = 0;

  constructor(fields: FieldState) {
    this.#fields = fields;
  }

  result(text: string, result: Span): Edits {
    const members = membersOf(text, result);
    if (members === undefined) return this.value(text, result);
    return members.flatMap(({ name, value }) => {
      if (name === 'content') return each(text, value, (block) => this.#block(text, block));
      if (name === 'contents') return each(text, value, (one) => this.#contents(text, one));
      if (name === 'messages') return each(text, value, (one) => this.#message(text, one));
      return this.value(text, value);
    });
  }

  /** A value that is a document of its own. */
  value(text: string, { start, end }: Span): Edits {
    const before = text.slice(start, end);
    const by = this.#json(before);
    return by === before ? [] : [{ start, end, by }];
  }

  #json(json: string): string {
    const masker = new JsonMasker(this.#fields, undefined);
    const parts = [masker.push(Buffer.from(json)), masker.end()].flatMap((part) => part ?? []);
    this.maskedValues += masker.maskedValues;
    return Buffer.concat(parts).toString();
  }

  #message(text: string, message: Span): Edits {
    const members = membersOf(text, message);
    if (members === undefined) return this.#hidden(message, HIDDEN);
    return members.flatMap(({ name, value }) =>
      name === 'content' ? each(text, value, (block) => this.#block(text, block)) : this.value(text, value),
    );
  }

  /** A block of content. @see https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-result */
  #block(text: string, block: Span): Edits {
    const members = membersOf(text, block) ?? [];
    const types = members.filter(({ name }) => name === 'type');
    switch (types.length === 1 ? stringAt(text, types[0]!.value) : undefined) {
      case 'text':
        return this.#contents(text, block);
      case 'resource':
        return members.flatMap(({ name, value }) =>
          name === 'resource' ? this.#contents(text, value) : this.value(text, value),
        );
      case 'resource_link':
        return this.value(text, block);
      default:
        return this.#hidden(block, HIDDEN_BLOCK);
    }
  }

  /** Something with a text, or with octets. */
  #contents(text: string, contents: Span): Edits {
    const members = membersOf(text, contents);
    if (members === undefined) return this.#hidden(contents, HIDDEN_BLOCK);
    return members.flatMap(({ name, value }) => {
      if (name === 'text') return this.#text(text, value);
      if (name === 'blob' || name === 'data') return this.#hidden(value, NO_OCTETS);
      return this.value(text, value);
    });
  }

  #text(text: string, value: Span): Edits {
    const said = stringAt(text, value);
    if (said === '') return [];
    if (said === undefined || !/^\s*[{[]/.test(said)) return this.#hidden(value, HIDDEN);
    try {
      const shown = this.#json(said);
      return shown === said ? [] : [{ ...value, by: JSON.stringify(shown) }];
    } catch {
      return this.#hidden(value, HIDDEN);
    }
  }

  #hidden(place: Span, by: string): Edits {
    this.maskedValues++;
    return [{ ...place, by }];
  }
}

/** A list of them, or one alone. */
function each(text: string, value: Span, act: (one: Span) => Edits): Edits {
  return (elementsOf(text, value) ?? [value]).flatMap(act);
}
