import type { Refusal } from '../../enforcement/operation.ts';
import type { GeneralRule, RefusalRule } from '../../enforcement/refusals.ts';

/**
 * The words by which a statement is refused whatever policy permits. Part of the contract: what is here keeps its
 * meaning. `docs/refusals.md` is made from it.
 */
export const POSTGRES_REFUSALS = {
  'syntax-error': {
    means: 'The statement does not parse as PostgreSQL.',
    instead: 'Correct it.',
    next: 'correct',
  },
  unanalysable: {
    means: 'The statement is too long, too deep or too slow to be read.',
    instead: 'Divide it, or write it in a simpler way.',
    next: 'less',
  },
  unsupported: {
    means: 'The statement parses, and something in it is not understood with certainty.',
    instead: 'Write it in a simpler way.',
    next: 'correct',
  },
  'newer-syntax': {
    means: 'The statement is written for a later version of PostgreSQL than the target is.',
    instead: 'Write it as the version has it that the reason names.',
    next: 'correct',
  },
  'unreadable-statement': {
    means: 'Something failed while the statement was read, or a limit was reached.',
    instead: 'Do what the hint says.',
    next: 'again',
  },
  'identifier-encoding': {
    means:
      'A name has letters outside of ASCII, which in the encoding of this database may mean another object.',
    instead: 'Name what is spelled in ASCII; values may hold any character.',
    next: 'correct',
  },
  'uncertain-name': {
    means: 'A name may stand for more than one object where it is used.',
    instead: 'Name its schema, or send what runs before it by itself.',
    next: 'correct',
  },
  'stale-names': {
    means: 'A name in a prepared statement stands for another object than when it was prepared.',
    instead: 'Prepare it anew.',
    next: 'correct',
  },
  'unread-session': {
    means:
      'The server reads SQL in this session in a way that the gateway does not follow, and rights have changed.',
    instead: 'Connect anew.',
    next: 'reconnect',
  },
  'catalog-unavailable': {
    means: "The target's catalog cannot be read, so nobody knows what the statement touches.",
    instead: 'Try again soon; if it lasts, ask the operator of the gateway.',
    next: 'again',
  },
  'lookups-spent': {
    means: 'It asks more often than policy allows whether a masked column equals something.',
    instead: 'Leave the column out, or wait until the time that the reason names is over.',
    next: 'leave-out',
  },
  'unknown-statement': {
    means: 'No prepared statement of this name is there.',
    instead: 'Prepare it first.',
    next: 'correct',
  },
  'unknown-portal': {
    means: 'No cursor or portal of this name is there.',
    instead: 'Declare or bind it first.',
    next: 'correct',
  },
  'unknown-function': {
    means: 'A function call names an OID that the catalog does not have.',
    instead: 'Call the function in a statement, by its name.',
    next: 'correct',
  },
  'unknown-type': {
    means: 'A parameter is given a type that the gateway does not know.',
    instead: 'Commit what makes the type first, or leave the types of parameters to the server.',
    next: 'correct',
  },
  'uncommitted-relation': {
    means:
      'A relation that this transaction has made is not known, and values here are masked: only at READ COMMITTED can it be asked for.',
    instead: 'Commit what you have made, then go on, or begin at READ COMMITTED.',
    next: 'correct',
  },
  'schema-changing': {
    means:
      'Another session changes names that the statement uses, or it changes names that statements of others use, and values here are masked.',
    instead: 'Send it again.',
    next: 'again',
  },
  'too-many-names': {
    means: 'The session keeps more prepared statements, portals or cursors than it may.',
    instead: 'Deallocate what is no longer needed.',
    next: 'correct',
  },
  'masked-column-flow': {
    means: 'A masked column would be compared, sorted by, computed with or written elsewhere.',
    instead: 'Leave it out, or select it by itself: it is shown masked.',
    next: 'leave-out',
  },
  'masked-code': {
    means: 'Code that the gateway does not read, or a way past it, could reach what is masked for you.',
    instead: 'Do it by plain statements, or have it done by somebody for whom nothing is masked.',
    next: 'report',
  },
  'unknown-source': {
    means: 'An expression may give what is masked, and its result cannot be traced where it stands.',
    instead: 'Leave it out, or ask for a view without it.',
    next: 'leave-out',
  },
  'computed-text': {
    means:
      'What is made of free text would be shown, stored, sorted by or compared with other rows, and here it is shown in plain columns alone.',
    instead: 'Select the column by itself, or with a function that hands values on, as `array_agg` does.',
    next: 'leave-out',
  },
  'unlisted-function': {
    means: 'A function of users would be called, of which nobody has said that what it gives may be shown.',
    instead:
      'Use a function that hands values on, as `array_agg` does, or ask the operator to list this one in `freeText.functions`.',
    next: 'instead',
  },
  'text-definition': {
    means:
      'Something would be defined that may compute with free text; here it is shown in plain columns alone.',
    instead: 'Ask for it to be done for you.',
    next: 'report',
  },
  'mask-written-back': {
    means: 'A mask that was shown would be stored in the place of the value that it hides.',
    instead: 'Leave masked columns as they are.',
    next: 'leave-out',
  },
  'masked-table-ddl': {
    means: 'A table with columns that are masked for you would be changed.',
    instead: 'Ask somebody who may see its columns.',
    next: 'report',
  },
  'function-call': {
    means: 'A function call message answers with a bare value, which cannot be masked.',
    instead: 'Call the function in a statement, by its name.',
    next: 'correct',
  },
  'copy-format': {
    means: 'COPY would give values in a form that cannot be searched for what is masked.',
    instead: 'Use the format text or csv, in the encoding UTF8.',
    next: 'correct',
  },
  'sensitive-catalog': {
    means: "A relation of the system's shows samples of data, and columns here are masked.",
    instead:
      'Name the columns that you need; those that show data may only stand alone in the list, where they are hidden.',
    next: 'correct',
  },
  'unsafe-function': {
    means: 'A function could read what is masked.',
    instead: 'Use plain SQL, and functions that only compute.',
    next: 'instead',
  },
  'unsafe-setting': {
    means: 'A setting could change how statements are read, and values here are masked.',
    instead: 'Leave the setting as it is.',
    next: 'leave-out',
  },
  'set-config': {
    means: 'set_config is called with something else than constants.',
    instead: 'Change the setting by a statement of its own, to a constant.',
    next: 'correct',
  },
  'rewrite-rule': {
    means: 'The table that is written has a rewrite rule, which writes somewhere else.',
    instead: 'Write to the tables behind it.',
    next: 'instead',
  },
} as const satisfies Readonly<Record<string, RefusalRule>>;

export type PostgresRule = keyof typeof POSTGRES_REFUSALS;

/** A refusal in this protocol. */
export type PostgresRefusal = Refusal<PostgresRule | GeneralRule>;
