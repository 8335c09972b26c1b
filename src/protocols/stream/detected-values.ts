import { HoopError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { MaskedData } from '../../enforcement/operation.ts';
import type { DetectorSet, Finding } from '../../masking/detectors/index.ts';
import { maskValue, strongest, type ValueShape } from '../../masking/mask.ts';
import { maskFindings } from '../../masking/mask-findings.ts';
import type { Masked } from '../../masking/replaced.ts';
import type { MaskKind, PolicyObject } from '../../policy/model.ts';
import { detectedObject } from '../../policy/objects.ts';
import type { Guard } from './guard.ts';

/** What a look at a piece of a value, or a finding in it, costs beside the octets: as much as so many of them. */
const LOOK_OCTETS = 32;

/**
 * Values that detectors find, as one session's principal may see them. Values belong to records (a row, a message): each
 * record is given the same attention, whatever it holds.
 */
export class DetectedValues {
  readonly #guard: Pick<Guard, 'reveal'>;
  readonly resource: PolicyObject;
  readonly #detectors: DetectorSet;
  readonly #tags: readonly string[];
  readonly #alike: (tag: string) => readonly PolicyObject[];
  #kindOfTag = new Map<string, MaskKind | 'show'>();
  #kindOfList = new WeakMap<readonly string[], MaskKind | 'show'>();
  /** Octets of this record that detectors would still look at. */
  #unseen: number = LIMITS.detectedRowBytes;
  /** Some detected kind of value is masked for this principal. Until the first refresh: assume so. */
  masks = true;

  /**
   * @param tags Every tag that a detector can give.
   * @param alike What a value with a tag is in the protocol's own terms, where rules may hide it as such: it is shown
   *   only where policy shows both.
   */
  constructor(
    guard: Pick<Guard, 'reveal'>,
    resource: PolicyObject,
    detectors: DetectorSet,
    tags: readonly string[],
    alike: (tag: string) => readonly PolicyObject[] = () => [],
  ) {
    this.#guard = guard;
    this.resource = resource;
    this.#detectors = detectors;
    this.#tags = tags;
    this.#alike = alike;
  }

  /** Asks policy anew: it has another version. */
  refresh(): void {
    this.#kindOfTag.clear();
    this.#kindOfList = new WeakMap();
    this.masks = this.#tags.some((tag) => this.#kindForTag(tag) !== 'show');
  }

  /** The operator has configured detectors beside those that come with hoopd. */
  get configured(): boolean {
    return this.#detectors.configured;
  }

  /** How a value with these tags is shown: several tags, the strongest mask. Most findings share a few lists of tags. */
  readonly #kindFor = (tags: readonly string[]): MaskKind | 'show' => {
    const known = this.#kindOfList.get(tags);
    if (known !== undefined) return known;
    const masks = tags.map((tag) => this.#kindForTag(tag)).filter((kind) => kind !== 'show');
    const kind = masks.length === 0 ? 'show' : strongest(masks);
    this.#kindOfList.set(tags, kind);
    return kind;
  };

  #kindForTag(tag: string): MaskKind | 'show' {
    const known = this.#kindOfTag.get(tag);
    if (known !== undefined) return known;
    const answers = this.#objectsOf(tag).map((object) => this.#guard.reveal(object));
    const masks = answers.flatMap((reveal) => (reveal.show ? [] : [reveal.mask]));
    // Whoever can have a text of his own looked at could compare guesses.
    const strong = masks.length === 0 ? 'show' : strongest(masks);
    const kind = strong === 'pseudonym' ? 'redact' : strong;
    this.#kindOfTag.set(tag, kind);
    return kind;
  }

  /** All that they find and policy hides, as one. */
  get hidden(): MaskedData {
    return {
      name: `${this.resource.id}/detected`,
      objects: this.#tags.flatMap((tag) => this.#objectsOf(tag)),
    };
  }

  /** What policy is asked about a tag. */
  #objectsOf(tag: string): readonly PolicyObject[] {
    return [detectedObject(this.resource, tag), ...this.#alike(tag)];
  }

  /** What is looked at from here on is of another record. */
  nextRecord(): void {
    this.#unseen = LIMITS.detectedRowBytes;
  }

  /** Whether so many octets more are looked at in this record; if not, the value is to be masked whole. */
  attends(octets: number): boolean {
    if (octets > this.#unseen) return false;
    this.#unseen -= octets;
    return true;
  }

  /**
   * Whether there can be anything to find: a quick look at octets `start` … `end`, wrong in saying yes only.
   *
   * @param from As `DetectorSet.suspects`.
   */
  suspects(bytes: Uint8Array, start: number, end: number, shape: ValueShape, from?: number): boolean {
    return this.#detectors.suspects(bytes, start, end, shape, from);
  }

  /**
   * Masks what is found in a value.
   *
   * @returns The same array if nothing was found that is masked, null for no value at all.
   * @throws {HoopError} `ERR_LIMIT` this record was looked at long enough: show nothing of the value.
   */
  detect(value: Uint8Array, shape: ValueShape): Uint8Array | null {
    this.#unseen -= LOOK_OCTETS;
    if (this.#unseen < 0) throw new HoopError('ERR_LIMIT');
    const findings = this.#found(value, shape);
    if (findings === undefined) return maskValue(value, 'redact', shape);
    this.#unseen -= LOOK_OCTETS * findings.length;
    if (findings.length === 0) return value;
    return maskFindings(value, findings, this.#kindFor, shape);
  }

  /**
   * What is to be masked in a text, by place, for whoever writes the text anew himself.
   *
   * @throws {HoopError} `ERR_LIMIT` this record was looked at long enough, or there is too much to mask.
   */
  masked(text: Uint8Array): readonly Masked[] {
    this.#unseen -= LOOK_OCTETS;
    if (this.#unseen < 0) throw new HoopError('ERR_LIMIT');
    const findings = this.#detectors.scan(text, 'text');
    this.#unseen -= LOOK_OCTETS * findings.length;
    return findings.flatMap((finding) => {
      const kind = this.#kindFor(finding.tags);
      return kind === 'show' ? [] : [{ ...finding, kind }];
    });
  }

  /** Undefined where there are too many. */
  #found(value: Uint8Array, shape: ValueShape): readonly Finding[] | undefined {
    try {
      return this.#detectors.scan(value, shape);
    } catch {
      return undefined;
    }
  }

  /**
   * Text for people: the audit's and the recording's copy of a request, without what detectors find in it.
   *
   * @throws {HoopError} `ERR_LIMIT` they find too much.
   */
  cleanText(text: string): string {
    const bytes = Buffer.from(text, 'utf8');
    const findings = this.#detectors.scan(bytes, 'text');
    if (findings.length === 0) return text;
    const masked = maskFindings(bytes, findings, () => 'redact', 'text');
    return masked === null ? '‹withheld›' : Buffer.from(masked).toString('utf8');
  }
}
