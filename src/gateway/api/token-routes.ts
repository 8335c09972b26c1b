import { PATHS } from '../../api/contract.ts';
import type { AuditLog } from '../../audit/event.ts';
import type { Clock } from '../../core/clock.ts';
import { HoopError, toHoopError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { verifyProof } from '../../identity/dpop.ts';
import type { TokenExchange } from '../../identity/exchange.ts';
import type { NonceSource } from '../../identity/nonces.ts';
import { parseTokenRequest } from '../../identity/token-request.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import { actorOf } from '../actor.ts';
import type { RefusalBudget } from '../tunnel/refusal-budget.ts';
import { addressOf } from '../tunnel/request.ts';
import type { Routes } from './app.ts';
import { readBody } from './body.ts';
import { type ApiContext, singleField } from './context.ts';
import { recordRefusedLogin } from './refused-login.ts';

export interface TokenRouteDeps {
  readonly publicUrl: string;
  readonly nonces: NonceSource;
  readonly audit: AuditLog;
  readonly vocabulary: Vocabulary;
  readonly budget: RefusalBudget;
  readonly clock: Clock;
  readonly log: Log;
  /** The exchange under the configuration in force. */
  exchange(): TokenExchange;
}

/** `POST /v1/token` (RFC 8693). The only way in: every token and every refusal is on record. */
export function tokenRoutes(deps: TokenRouteDeps): Routes {
  return (app) => {
    app.post(PATHS.token, async (context) => {
      try {
        return await exchange(deps, context);
      } catch (thrown) {
        const error = toHoopError(thrown);
        if (error.code !== 'ERR_PROOF_NONCE')
          await recordRefusedLogin(deps, error, addressOf(context.env.incoming));
        throw error;
      }
    });
  };
}

async function exchange(deps: TokenRouteDeps, context: ApiContext): Promise<Response> {
  const { publicUrl, nonces, clock, audit, vocabulary } = deps;
  const { thumbprint } = await verifyProof({
    proof: singleField(context, 'dpop'),
    method: 'POST',
    url: publicUrl + PATHS.token,
    accessToken: undefined,
    now: clock.now(),
    requireNonce: nonces,
  });
  const request = parseTokenRequest(await formOf(context));
  const { response, principal, renewed } = await deps.exchange().exchangeFor(request, thumbprint);
  // Before the token leaves: what is not on record does not happen.
  await audit.append({
    type: renewed ? 'credential.renewed' : 'login.exchanged',
    actor: actorOf(principal, vocabulary),
    outcome: 'success',
    facts: { deadline: response.deadline, address: addressOf(context.env.incoming) },
  });
  return context.json(response);
}

/** Each field at most once; anything but a form is refused. */
async function formOf(context: ApiContext): Promise<Record<string, unknown>> {
  const type = context.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded')
    throw new HoopError('ERR_USAGE', 'send the token request as application/x-www-form-urlencoded');
  const fields: Record<string, unknown> = Object.create(null);
  for (const [name, value] of new URLSearchParams(await readBody(context))) {
    if (name in fields) throw new HoopError('ERR_USAGE', 'a field of the token request is given twice');
    fields[name] = value;
  }
  return fields;
}
