import { DetectorSet } from '../../src/masking/detectors/index.ts';
import { maskFindings } from '../../src/masking/mask-findings.ts';
import {
  type CellDetector,
  type ColumnAction,
  RowRewriter,
  rowPlan,
} from '../../src/protocols/postgres/shown/rows.ts';
import { WireTypes } from '../../src/protocols/postgres/shown/values/wire-types.ts';
import { Framer } from '../../src/wire/postgres/framer.ts';
import { DataRow } from '../../src/wire/postgres/rows.ts';
import { BACKEND } from '../../src/wire/postgres/types.ts';

const TEXT_OID = 25;
const ROWS = 1500;
/** Passes over the rows per figure: about 300 ms. */
const PASSES = 300;
const WARM_PASSES = 400;

const FIRST = ['Ann', 'Bob', 'Chloé', 'Dirk', 'Eva-Maria', 'François', 'Győző'];
const LAST = ['de Vries', 'Jansen', 'Müller', "O'Brien", 'Smith', 'van den Berg'];
const NOTES = [
  'called about the invoice of last month and wants a refund before the end of the week',
  'likes tea and long walks; prefers e-mail over phone',
  'moved in 2021, order 48213 was returned',
  'VIP customer. Please answer within 2 days.',
  '',
];

/** A table of people as a chunk of rows: id, name, e-mail, phone, note. */
function people(): Buffer {
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const first = FIRST[i % FIRST.length] as string;
    const last = LAST[(i * 5) % LAST.length] as string;
    const phone = `+3161${String((i * 7919) % 1_000_000).padStart(7, '0')}`;
    const values = [
      String(i),
      `${first} ${last}`,
      `user${i}@example.com`,
      phone,
      NOTES[i % NOTES.length] as string,
    ];
    return DataRow.encode({ values: values.map((value) => Buffer.from(value)) });
  });
  return Buffer.concat(rows);
}

/**
 * Speed of detection on one core, MB of rows a second: every text column of a table of people is looked at, on the way
 * that rows take. What is found may be shown, so nothing is rewritten: that is measured as masking.
 *
 * @returns One figure per round.
 */
export function detectionSpeeds(rounds: number): number[] {
  const detectors = new DetectorSet();
  const detector: CellDetector = {
    nextRecord: () => undefined,
    attends: () => true,
    suspects: (bytes, start, end, shape) => detectors.suspects(bytes, start, end, shape),
    detect: (value, shape) => maskFindings(value, detectors.scan(value, shape), () => 'show', shape),
  };
  const types = new WireTypes(new Map());
  const looked: ColumnAction = { kind: 'detect', type: types.of(TEXT_OID), format: 0, types };
  const plan = rowPlan([{ kind: 'show' }, looked, looked, looked, looked]);
  const chunk = people();
  const wanted = new Uint8Array(256);
  wanted[BACKEND.DataRow] = 1;
  const framer = new Framer('backend');
  const rewriter = new RowRewriter();
  const pass = () => {
    rewriter.reset();
    framer.push(chunk);
    const run = framer.nextRun(wanted);
    if (run?.count !== ROWS) throw new Error('not every row was looked at');
    rewriter.rewrite(run, plan, detector);
  };
  for (let i = 0; i < WARM_PASSES; i++) pass();
  return Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < PASSES; i++) pass();
    const { user, system } = process.cpuUsage(before);
    return (PASSES * chunk.length) / (user + system);
  });
}
