import { z } from 'zod';
import { MAX_TEXT_CHARS, textOfAtMost } from '../../operation.ts';

export const commandOperation = z
  .strictObject({
    command: textOfAtMost(MAX_TEXT_CHARS).min(1).describe('A command line, for a host over SSH.'),
  })
  .transform(({ command: text }) => ({ text, parameters: [] }));
