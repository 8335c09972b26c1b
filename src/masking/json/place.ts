import { unreadable } from '../pieces/unreadable.ts';
import type { Member } from './members.ts';
import { MOST, TOKEN } from './states.ts';

/** Where in a document its reader is. */
export class Place {
  /** The member in whose value this is, or behind which. */
  member: Member;
  /** By depth: whether it is an object, and the member that it is the value of. */
  readonly #isObject: boolean[] = [];
  readonly #owners: Member[] = [];
  #depth = 0;
  /** Depth of the container that is masked with all that is in it; -1: none. */
  #unseen = -1;
  #expected = 0;
  readonly #document: Member;

  /** @param document What is known of a document as a whole. */
  constructor(document: Member) {
    this.#document = this.member = document;
  }

  /** Before the next document. */
  begin(): void {
    this.member = this.#document;
  }

  /** Behind the end of a document. */
  get atEnd(): boolean {
    return this.#depth === 0;
  }

  get inObject(): boolean {
    return this.#depth > 0 && this.#isObject[this.#depth - 1] === true;
  }

  /** In a container that is masked with all that is in it. */
  get isUnseen(): boolean {
    return this.#unseen !== -1;
  }

  /** The member that this object is the value of. */
  get owner(): Member {
    return this.#owners[this.#depth - 1] ?? this.#document;
  }

  /**
   * Into a container.
   *
   * @returns Whether all that is in it is masked from here on.
   * @throws {HoopError} `ERR_TARGET_LOST` it is too deep.
   */
  open(isObject: boolean): boolean {
    const { member } = this;
    const depth = this.#depth;
    if (depth === MOST.depth) throw unreadable(`it is deeper than ${MOST.depth} levels`);
    this.#isObject[depth] = isObject;
    this.#owners[depth] = member;
    this.#depth = depth + 1;
    const hides = member.token === TOKEN.masked;
    if (hides) this.#unseen = depth;
    if (hides || isObject) this.member = member.inside;
    return hides;
  }

  /** Out of it. @returns Whether all that was in it was masked. */
  close(): boolean {
    const depth = --this.#depth;
    this.member = this.#owners[depth]!;
    if (this.#unseen !== depth) return false;
    this.#unseen = -1;
    return true;
  }

  /**
   * To a member that was not expected.
   *
   * @param bytes Hold its name as it stands with its colon, from `start` to `end`, where it is to be expected again.
   */
  meet(member: Member, bytes: DataView | undefined, start: number, end: number): void {
    member.follow(this.member);
    if (bytes !== undefined && this.#expected < MOST.expected)
      if (member.expected(this.member, bytes, start, end)) this.#expected++;
    this.member = member;
  }
}
