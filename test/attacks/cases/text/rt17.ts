import { type Attack, type AttackGroup, FORMS, must, send } from '../../attack.ts';
import { disguiseOf } from '../../leak.ts';
import { CUTS } from './cut.ts';
import { KEPT } from './kept.ts';
import { MADE } from './made.ts';
import { SPELLED } from './spelled.ts';
import { PAN, TEXT_WORLD, taking } from './world.ts';

/** Whole columns, in all that carries them, are shown as detectors leave them; what is honest is answered as elsewhere. */
export const HONEST: readonly string[] = [
  'SELECT id, body, title, code, alias, doc, raw, mark, tags, octets, n, at, state FROM notes',
  'SELECT notes, ROW(body, octets), ARRAY[ROW(body, doc)], ROW(ARRAY[octets]) FROM notes WHERE id = 1',
  'SELECT (SELECT m FROM notes m WHERE id = 1), ARRAY(SELECT octets FROM notes ORDER BY id)',
  "SELECT coalesce(body, title, '-'), CASE WHEN n > 3 THEN body END, nullif(body, 'x'), tags[1], (m).title FROM notes m",
  'SELECT body AS b FROM notes UNION ALL SELECT title FROM notes UNION SELECT body FROM lines ORDER BY b',
  'SELECT state, count(*), max(body), array_agg(title ORDER BY id) FROM notes GROUP BY ROLLUP (state) ORDER BY state',
  "SELECT coalesce(state, 'none'), count(DISTINCT title) FROM notes WHERE body ILIKE '%pay%' GROUP BY 1 ORDER BY 2",
  "SELECT id FROM notes WHERE tags && ARRAY['y', 'z'] AND lower(state) = 'new'",
  "SELECT tags @> ARRAY['y'], 'y' = ANY (tags) FROM notes ORDER BY id",
  'SELECT lag(body) OVER (ORDER BY body), lead(title, 1) OVER (ORDER BY id) FROM notes',
  'SELECT unnest(tags) FROM notes',
  'SELECT ROW(octets), ROW(ROW(octets, tags), doc), ARRAY[ROW(octets)], ARRAY[octets, octets], array_agg(notes) FROM notes GROUP BY octets, tags, doc',
  'SELECT ROW(mark, alias, code), ARRAY[alias], ARRAY[code], ARRAY[doc], lag(octets) OVER () FROM notes',
  'SELECT public.initials(body), to_char(at, $$YYYY$$) FROM notes ORDER BY id',
  "SELECT l.id FROM lines l JOIN notes n ON l.body = n.body WHERE n.state IN ('new', 'open')",
  'WITH RECURSIVE r (id, body, d) AS (SELECT id, body, 1 FROM notes UNION ALL SELECT id, body, d + 1 FROM r WHERE d < 2) SELECT body, d FROM r ORDER BY body, d',
];

function honest(sql: string): Attack {
  return {
    case: `honest: ${sql}`,
    run: async (world) => {
      for (const form of FORMS) {
        const clients = [await world.at(await world.also('pg')), await world.at(await world.also('plain'))];
        const [any = '', plain = ''] = await Promise.all(
          clients.map(async (one) => (await send(one, sql, form)).join(' / ')),
        );
        must(any === plain && any.includes('DataRow'), `${form}: any: ${any}\n  plain: ${plain}`);
        const found = clients.map(({ received }) => disguiseOf(received, PAN));
        must(
          found.every((one) => one === undefined),
          `${form}: shown, ${found}: ${any}`,
        );
      }
    },
  };
}

/** Free text is shown in plain columns alone: a card's number in it comes out in no other way. */
export const RT17: readonly AttackGroup[] = [
  {
    id: 'RT17',
    scenario: TEXT_WORLD,
    attacks: [...[...MADE, ...CUTS, ...SPELLED, ...KEPT].map(taking), ...HONEST.map(honest)],
  },
];
