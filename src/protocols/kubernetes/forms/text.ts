import { Unreadable } from './wire-reader.ts';

/** @throws {Unreadable} It is not UTF-8. */
export function textOf(octets: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    throw new Unreadable('the body has a text that is not UTF-8');
  }
}
