import { Hono } from 'hono';
import { ERROR_TABLE, HoopError, toHoopError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Principal } from '../../identity/principal.ts';
import { challengeOf, problemOf, SECURITY_HEADERS } from '../server/problem.ts';
import type { ApiContext, ApiEnv } from './context.ts';

export interface AppDeps {
  readonly log: Log;
  /** The DPoP nonce in force; sent with every answer so that clients seldom meet a refusal. */
  nonce(): string;
  /** Verifies token and proof of one API request; uses the proof up. */
  authenticate(context: ApiContext): Promise<Principal>;
}

/** Adds its routes to the app; those behind `authenticate` find `principal` in the context. */
export type Routes = (app: Hono<ApiEnv>) => void;

/**
 * Builds the HTTP half of the gateway.
 *
 * Everything but `open` routes is behind token and proof. Every failure is a `Problem`; nothing thrown reaches the
 * client with its stack or detail.
 */
export function createApp(deps: AppDeps, open: readonly Routes[], guarded: readonly Routes[]): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.use(async (context, next) => {
    await next();
    // What a page says of itself, it knows better.
    for (const [name, value] of Object.entries(SECURITY_HEADERS))
      if (!context.res.headers.has(name)) context.header(name, value);
    context.header('DPoP-Nonce', deps.nonce());
  });
  for (const routes of open) routes(app);
  app.use('/v1/*', async (context, next) => {
    context.set('principal', await deps.authenticate(context));
    await next();
  });
  for (const routes of guarded) routes(app);
  app.notFound((context) =>
    answer(
      new HoopError('ERR_USAGE', `nothing is at ${context.req.path.slice(0, 200)}`, {
        hint: 'this is the gateway: hoopctl speaks to it; its health is at GET /healthz, and pages for approvers, where it has them, are at /approvals',
      }),
      { status: 404 },
    ),
  );
  app.onError((thrown, context) => {
    const error = toHoopError(thrown);
    // What is not supported is an answer, and nothing that an operator could mend.
    if (ERROR_TABLE[error.code].http >= 500 && error.code !== 'ERR_UNSUPPORTED')
      deps.log.error('a request failed', { path: context.req.path, code: error.code, detail: error.detail });
    return answer(error);
  });
  return app;
}

function answer(error: HoopError, extras: { rule?: string; status?: number } = {}): Response {
  const problem = problemOf(error, extras);
  const challenge = challengeOf(error);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    },
  });
}
