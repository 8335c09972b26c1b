import { z } from 'zod';
import { httpOperation } from './http/operation.ts';
import { sqlOperation } from './postgres/operation.ts';
import { commandOperation } from './ssh/operation.ts';

/** Any operation that a tunnel carries, in the words of the tool that would do it. */
export const OPERATION = z
  .union([sqlOperation, httpOperation, commandOperation])
  .describe(
    'Exactly what a tool would be called with: {sql, params}, {method, path, headers, body}, or {command}.',
  );
