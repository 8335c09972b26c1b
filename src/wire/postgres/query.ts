import { type Codec, codec } from './codec.ts';
import { BACKEND, FRONTEND } from './types.ts';

/** One string of SQL, parsed and run at once; it may hold several statements. */
export interface Query {
  readonly name: 'Query';
  readonly sql: string;
}

/** A NUL inside the text is refused: servers and parsers would stop there, and analyse less than was sent. */
export const Query: Codec<Query> = codec<Query>(
  'Query',
  FRONTEND.Query,
  (reader) => ({ sql: reader.string() }),
  (writer, { sql }) => writer.string(sql),
);

/** A statement ended well; the tag says what it did and to how many rows: `INSERT 0 5`. */
export interface CommandComplete {
  readonly name: 'CommandComplete';
  readonly tag: string;
}

export const CommandComplete: Codec<CommandComplete> = codec<CommandComplete>(
  'CommandComplete',
  BACKEND.CommandComplete,
  (reader) => ({ tag: reader.string() }),
  (writer, { tag }) => writer.string(tag),
);

/** `I` no transaction is open, `T` one is, `E` one is and has failed. */
type TransactionStatus = 'I' | 'T' | 'E';

/** The backend waits for the next command. */
export interface ReadyForQuery {
  readonly name: 'ReadyForQuery';
  readonly status: TransactionStatus;
}

export const ReadyForQuery: Codec<ReadyForQuery> = codec<ReadyForQuery>(
  'ReadyForQuery',
  BACKEND.ReadyForQuery,
  (reader) => ({ status: reader.letter(['I', 'T', 'E']) }),
  (writer, { status }) => writer.byte(status.charCodeAt(0)),
);
