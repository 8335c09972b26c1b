import type { FieldState } from './field-states.ts';
import type { Label } from './labels.ts';
import { TOKEN } from './states.ts';

/** How far along the chain a name is looked for: records leave members out that are empty. */
const MAX_PASSED = 8;
/** Octets of a name that is expected again, with its quotes and the colon: it is compared by four at a time. */
const MIN_NAME = 4;
export const MAX_NAME = 64;

/**
 * A member of an object, and what is known of its value before that is read.
 *
 * Objects in a list have the same members in the same order, as a rule. Those that were met in one place are a chain, in which the
 * next name is where it was the last time: it is compared, and not looked up.
 */
export class Member {
  /** How far its name, and those around it, have followed the paths of masked fields. */
  readonly field: FieldState | undefined;
  /** What becomes of its value, and of those in a list of them: one of `TOKEN`. */
  readonly token: number;
  /** A string there need not be looked at where no octet in it is telling. */
  readonly glanced: boolean;
  /** Its name, where that may tell what its value is. */
  readonly label: Label | undefined;
  /** Octets of its name as it stands, quotes and colon too; 0: it is not expected again. */
  length = 0;
  /** Its first four octets, and its last four. */
  #first = 0;
  #last = 0;
  /** Those between. */
  readonly #between: number[] = [];
  #next: Member | undefined;
  #inside: Member | undefined;

  constructor(field: FieldState | undefined, token: number, glanced: boolean, label: Label | undefined) {
    this.field = field;
    this.token = token;
    this.glanced = glanced;
    this.label = label;
  }

  /** What is known of what stands in its value: before the first member of an object there; nothing, where that is masked. */
  get inside(): Member {
    this.#inside ??= new Member(undefined, TOKEN.shown, false, undefined);
    return this.#inside;
  }

  /** The member whose name stands at `at`, where one of those that came behind this one before has it. `MAX_NAME` octets are there. */
  following(bytes: DataView, at: number): Member | undefined {
    let member = this.#next;
    for (let left = MAX_PASSED; left > 0 && member !== undefined; left--) {
      if (member.#isAt(bytes, at)) return member;
      member = member.#next;
    }
    return undefined;
  }

  #isAt(bytes: DataView, at: number): boolean {
    if (bytes.getInt32(at) !== this.#first || bytes.getInt32(at + this.length - 4) !== this.#last)
      return false;
    const between = this.#between;
    for (let i = 0; i < between.length; i++) if (between[i] !== bytes.getUint8(at + 4 + i)) return false;
    return true;
  }

  /** This comes behind another, and whatever did so before comes behind this. */
  follow(member: Member): void {
    this.#next = member.#next;
  }

  /** As `follow`, and is expected there again. @returns Whether it is: its name stands from `start` to `end`. */
  expected(member: Member, bytes: DataView, start: number, end: number): boolean {
    if (end - start < MIN_NAME || end - start > MAX_NAME) return false;
    this.length = end - start;
    this.#first = bytes.getInt32(start);
    this.#last = bytes.getInt32(end - 4);
    for (let at = start + 4; at < end - 4; at++) this.#between.push(bytes.getUint8(at));
    member.#next = this;
    return true;
  }
}
