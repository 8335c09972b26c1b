import { z } from 'zod';
import { TOKEN_EXCHANGE_GRANT, TOKEN_TYPES, type TokenRequest } from '../api/contract.ts';
import { HoopError } from '../core/errors.ts';
import { isRunId } from '../core/ids/runs.ts';
import { isPlain } from '../core/visible.ts';
import { GROUPS_CURE } from './issuers/claims.ts';
import { MAX_TOKEN_BYTES } from './issuers/issuer.ts';

const plain = z.string().refine(isPlain);

const tokenRequest = z.object({
  grant_type: z.literal(TOKEN_EXCHANGE_GRANT),
  subject_token: z.string().min(1),
  subject_token_type: z.enum([TOKEN_TYPES.idToken, TOKEN_TYPES.jwt, TOKEN_TYPES.accessToken]),
  agent: plain.optional(),
  model: plain.optional(),
  model_version: plain.optional(),
  ttl: z
    .string()
    .regex(/^[1-9]\d{0,8}$/)
    .optional(),
  only: z.string().min(1).max(4096).optional(),
  read_only: z.literal('true').optional(),
  run: z.string().refine(isRunId).optional(),
});

/**
 * Checks the form fields of a token request. Fields that are not ours are ignored, as RFC 6749 §3.2 wants.
 *
 * Pure.
 *
 * @param fields Name → value, each at most once (a list of values is refused).
 * @returns The request; texts plain and at most 256 characters, the token at most 16 KiB, `ttl` 1 … 999,999,999 s,
 *   `only` at most 4 KiB and not yet understood.
 * @throws {HoopError} `ERR_USAGE` a field is missing or malformed; names the field, never its value.
 *   `ERR_TOKEN_TOO_LARGE`.
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-2.1
 */
export function parseTokenRequest(fields: Readonly<Record<string, unknown>>): TokenRequest {
  const parsed = tokenRequest.safeParse(fields);
  if (!parsed.success) {
    const field = String(parsed.error.issues[0]?.path[0] ?? 'the form');
    throw new HoopError('ERR_USAGE', `the token request is not valid: ${field} is missing or malformed`);
  }
  const { agent, model, model_version, ttl, only, read_only, run, ...rest } = parsed.data;
  if (rest.subject_token.length > MAX_TOKEN_BYTES)
    throw new HoopError('ERR_TOKEN_TOO_LARGE', undefined, { hint: GROUPS_CURE });
  return {
    ...rest,
    ...(agent === undefined ? {} : { agent }),
    ...(model === undefined ? {} : { model }),
    ...(model_version === undefined ? {} : { model_version }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(only === undefined ? {} : { only }),
    ...(read_only === undefined ? {} : { read_only }),
    ...(run === undefined ? {} : { run }),
  };
}
