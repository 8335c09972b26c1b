import type { PostgresRefusal } from '../../refusals.ts';
import type { LiteralSpan } from '../facts/facts.ts';

/** The encoding in which the grammar reads: in it the server folds and cuts identifiers as the grammar does. */
const READ = 'UTF8';
/** `U&"…"` writes any character in ASCII. */
const NOT_ASCII = /[^\0-\x7f]|u&"/i;

/**
 * Refuses identifiers outside of ASCII where the database's encoding is not UTF-8: the server cuts them after 63 octets of
 * its own encoding, and folds letters of one octet by its locale, so a name could mean another object there. Literals and
 * comments may hold anything. Pure.
 *
 * @param encoding As the server reports it: `server_encoding`.
 * @param literals Of the text, in octets, in order.
 */
export function foreignIdentifiers(
  text: string,
  literals: readonly LiteralSpan[],
  encoding: string,
): PostgresRefusal | undefined {
  if (encoding === READ || !NOT_ASCII.test(text) || !NOT_ASCII.test(withoutLiterals(text, literals)))
    return undefined;
  return {
    code: 'ERR_DENIED',
    rule: 'identifier-encoding',
    reason: `this database's encoding is ${encoding}, in which names outside of ASCII may mean other objects`,
    hint: 'name what is spelled in ASCII; values may hold any character',
  };
}

function withoutLiterals(text: string, literals: readonly LiteralSpan[]): string {
  const octets = Buffer.from(text);
  for (const { start, end } of literals) octets.fill(0x20, start, end);
  return octets.toString('utf8');
}
