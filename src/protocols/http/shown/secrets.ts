import { Octets } from '../../../masking/pieces/octets.ts';
import type { PieceMasker } from '../../../masking/pieces/piece-masker.ts';

/** Shorter secrets are not looked for: they would be found everywhere. */
const LEAST = 8;

/**
 * Octets that stand for one of these texts in a body or a head: as they are, as JSON and URLs have them, and within base64,
 * wherever in it they begin.
 */
export class SecretForms {
  readonly #needles: readonly Buffer[];
  readonly #longest: number;
  readonly #first = new Uint8Array(256);

  readonly #secrets: readonly string[];

  constructor(secrets: readonly string[]) {
    this.#secrets = [...secrets];
    const forms = new Set(secrets.filter((secret) => Buffer.byteLength(secret) >= LEAST).flatMap(formsOf));
    this.#needles = [...forms].map((form) => Buffer.from(form));
    this.#longest = Math.max(0, ...this.#needles.map(({ length }) => length));
    for (const needle of this.#needles) this.#first[needle[0]!] = 1;
  }

  /**
   * Writes stars over every one of them. As long as they were, so that lengths stay true.
   *
   * @returns The same array where there is none.
   */
  scrubbed(bytes: Buffer): Buffer {
    let clean = bytes;
    for (const needle of this.#needles) {
      for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1)) {
        if (clean === bytes) clean = Buffer.from(bytes);
        clean.fill(STAR, at, at + needle.length);
      }
    }
    return clean;
  }

  /** Whether they are of these texts. */
  are(secrets: readonly string[]): boolean {
    return secrets.length === this.#secrets.length && secrets.every((one, at) => one === this.#secrets[at]);
  }

  /** There is anything to look for. */
  get any(): boolean {
    return this.#needles.length > 0;
  }

  /** As `scrubbed`, of a text with an octet per character. */
  scrubbedText(text: string): string {
    const bytes = Buffer.from(text, 'latin1');
    const clean = this.scrubbed(bytes);
    return clean === bytes ? text : clean.toString('latin1');
  }

  /** Octets at the end that may be the beginning of one. */
  begun(bytes: Buffer): number {
    for (let length = Math.min(this.#longest - 1, bytes.length); length > 0; length--) {
      if (this.#first[bytes[bytes.length - length]!] === 0) continue;
      const end = bytes.subarray(bytes.length - length);
      if (this.#needles.some((needle) => needle.length > length && needle.subarray(0, length).equals(end)))
        return length;
    }
    return 0;
  }
}

const STAR = 0x2a;

function formsOf(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const url = encodeURIComponent(secret);
  const escapedFor = (unsafe: RegExp) =>
    json.replace(unsafe, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [
    secret,
    json,
    json.replaceAll('/', '\\/'),
    escapedFor(/[&<>]/g),
    escapedFor(/[&<>'+=]/g),
    url,
    url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    url.replaceAll('%20', '+'),
    ...base64Forms(Buffer.from(secret)),
  ].filter((form) => form.length >= LEAST);
}

/** Of the three places in a group at which it may begin, the characters that are of it alone. */
function base64Forms(octets: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), octets]);
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor((whole.length * 8) / 6);
    return [whole.toString('base64').slice(first, last), whole.toString('base64url').slice(first, last)];
  });
}

/** A body without the gateway's own secrets, which a target may say back to whoever asks. */
export class SecretScrubber implements PieceMasker {
  readonly #forms: SecretForms;
  readonly #inner: PieceMasker;
  /** What may be the beginning of a secret. */
  readonly #held = new Octets();

  /** @param inner What else is done to the body, before. */
  constructor(forms: SecretForms, inner: PieceMasker) {
    this.#forms = forms;
    this.#inner = inner;
  }

  get maskedValues(): number {
    return this.#inner.maskedValues;
  }

  push(chunk: Uint8Array): Uint8Array | undefined {
    const shown = this.#inner.push(chunk);
    return shown === undefined ? undefined : this.#scrub(shown, false);
  }

  end(): Uint8Array | undefined {
    return this.#scrub(this.#inner.end() ?? NOTHING, true);
  }

  #scrub(shown: Uint8Array, all: boolean): Uint8Array | undefined {
    let bytes = Buffer.from(shown.buffer, shown.byteOffset, shown.length);
    if (this.#held.length > 0) {
      this.#held.add(shown);
      bytes = this.#held.take();
    }
    const clean = this.#forms.scrubbed(bytes);
    const begun = all ? 0 : this.#forms.begun(clean);
    if (begun > 0) this.#held.add(clean, clean.length - begun, clean.length);
    return begun === clean.length ? undefined : clean.subarray(0, clean.length - begun);
  }
}

const NOTHING = Buffer.alloc(0);
