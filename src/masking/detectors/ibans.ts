import type { Stretch } from '../stretch.ts';
import { ALNUM, DIGIT, LETTER } from './characters.ts';
import { ibanValid } from './checksums.ts';
import type { Span } from './span.ts';

/** Country, then its account number: `n` digits, `a` letters, `c` either. @see https://www.swift.com/standards/data-standards/iban */
const REGISTRY =
  'AD8n12c AE19n AL8n16c AT16n AZ4a20c BA16n BE12n BG4a6n8c BH4a14c BI23n BR23n1a1c BY4c4n16c CH5n12c CR18n CY8n16c ' +
  'CZ20n DE18n DJ23n DK14n DO4c20n EE16n EG25n ES20n FI14n FK2a12n FO14n FR10n11c2n GB4a14n GE2a16n GI4a15c GL14n ' +
  'GR7n16c GT24c HN4a20n HR17n HU24n IE4a14n IL19n IQ4a15n IS22n IT1a10n12c JO4a22c KW4a22c KZ3n13c LB4n20c LC4a24c ' +
  'LI5n12c LT16n LU3n13c LV4a13c LY21n MC10n11c2n MD20c ME18n MK3n10c2n MN16n MR23n MT4a5n18c MU4a22n NI4a20n NL4a10n ' +
  'NO11n OM3n16c PK4a16c PL24n PS4a21c PT21n QA4a21c RO4a16c RS18n RU14n15c SA2n18c SC4a20n3a SD14n SE20n SI15n SK20n ' +
  'SM1a10n12c SO19n ST21n SV4a20n TL19n TN20n TR6n16c UA6n19c VA18n VG4a16n XK16n YE4a22n';

const CLASSES: Readonly<Record<string, string>> = { n: '[0-9]', a: '[A-Z]', c: '[A-Z0-9]' };

interface Account {
  readonly length: number;
  readonly pattern: RegExp;
}

const ACCOUNTS: ReadonlyMap<string, Account> = new Map(
  REGISTRY.split(' ').map((entry) => {
    const parts = [...entry.slice(2).matchAll(/(\d+)([nac])/g)];
    const length = parts.reduce((sum, [, count]) => sum + Number(count), 4);
    const body = parts.map(([, count, kind]) => `${CLASSES[kind as string]}{${count}}`).join('');
    return [entry.slice(0, 2), { length, pattern: new RegExp(`^[A-Z]{2}[0-9]{2}${body}$`) }];
  }),
);

const [SPACE, DASH] = [0x20, 0x2d];

/** The IBAN whose two check digits start at `digits`, compact or in fours set apart by single spaces or dashes. */
export function ibanAround(text: Stretch, digits: number): Span | undefined {
  const start = digits - 2;
  if (LETTER[text.at(start)] === 0 || LETTER[text.at(start + 1)] === 0 || DIGIT[text.at(digits + 1)] === 0)
    return undefined;
  const before = text.at(start - 1);
  if (ALNUM[before] === 1 || (before === DASH && ALNUM[text.at(start - 2)] === 1)) return undefined;
  const account = ACCOUNTS.get(text.text(start, digits).toUpperCase());
  if (account === undefined) return undefined;
  const printed = text.at(start + 4) === SPACE || text.at(start + 4) === DASH;
  let compact = '';
  let at = start;
  for (; at < text.end && compact.length < account.length; at++) {
    const byte = text.at(at);
    if (ALNUM[byte] === 1) compact += String.fromCharCode(byte);
    else if (!printed || byte !== text.at(start + 4) || compact.length % 4 !== 0) return undefined;
    else if (ALNUM[text.at(at + 1)] === 0) return undefined;
  }
  if (ALNUM[text.at(at)] === 1) return undefined;
  const iban = compact.toUpperCase();
  return account.pattern.test(iban) && ibanValid(iban) ? { start, end: at } : undefined;
}
