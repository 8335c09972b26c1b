/**
 * What a refused client is told to do instead, each sentence once. They name another object, a smaller scope or whom to ask,
 * and no word of SQL: an agent that is told of a missing word adds it, and nothing else.
 */
export const HINTS = {
  askForLess: 'ask for fewer rows or columns, or for a summary of them',
  askForTable: 'name the columns that you need, if they show none; or ask the operator of the gateway',
  askForWork: 'ask for it to be done for you',
  askOwnerOfColumns: 'ask somebody who may see its columns to change it',
  askUnmasked: 'do it by plain statements, or have it done by somebody for whom nothing is masked here',
  callByName: 'call the function in a statement, by its name',
  changeByItself: 'change the setting by a statement of its own, to a constant',
  commitFirst: 'commit what you have made, then go on',
  compareUnmasked: 'name the columns that are compared, those that are not masked',
  connectAnew: 'connect anew',
  conflictUnmasked:
    'let a column that is not masked decide the conflict, or ask somebody who may see this one',
  copyReadable: 'use the format text or csv, in the encoding UTF8',
  copyTable: 'use the format text or csv, or copy the columns of a table',
  computes: 'use plain SQL, and functions that only compute, as string_agg and date_trunc do',
  copyUnmasked: 'copy the columns that are not masked for you; a query shows the others masked',
  declareFirst: 'declare or bind it first',
  explainOnly: 'explain it without running it, or leave the masked column out',
  forget: 'deallocate what is no longer needed',
  keepBeside: 'leave that column as it is; somebody who may see the masked one can change it',
  keepMasked: 'leave masked columns as they are; somebody who may see them can change them',
  keepSetting: 'leave the setting as it is',
  leaveOut: 'leave it out, or ask for a view without it',
  leaveOutOrAlone: 'leave the masked column out, or select it by itself',
  listedFunction:
    'use a function that hands values on, as array_agg, max and coalesce do, or ask the operator to list this one in freeText.functions',
  nameNeeded: 'name the columns that you need',
  nameThere: 'name a column that is there: look it up in information_schema.columns',
  nameUnmasked: 'name the columns that are not masked',
  plainColumn:
    'select the column by itself, or with a function that hands values on, as array_agg, max and coalesce do',
  prepareFirst: 'prepare it first',
  sendAgain: 'send it again',
  simpler: 'write it in a simpler way',
  sortUnmasked: 'sort by a column that is not masked, by its name',
  tablesBehind: 'write to the tables behind it',
  unexplained: 'run it without having it explained',
  wholeTable: 'name the table of which it is a part',
} as const;
