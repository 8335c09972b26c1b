import { K1, K2, K3, K4, K5, K15, K17, K21 } from './cases/streams.ts';
import { ofStreams, type StreamAttack } from './streams-world.ts';

/** Streams into pods, in the order of the kinds. */
const KINDS: readonly (readonly [id: string, attacks: readonly StreamAttack[]])[] = [
  ['K1', K1],
  ['K2', K2],
  ['K3', K3],
  ['K4', K4],
  ['K5', K5],
  ['K15', K15],
  ['K17', K17],
  ['K21', K21],
];

export const STREAM_TRIALS = KINDS.map(ofStreams);
