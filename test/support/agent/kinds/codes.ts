import type { ErrorCode } from '../../../../src/core/errors.ts';
import { bareMessages } from '../bare-messages.ts';
import { ssh } from '../programs.ts';
import type { ByItself, Kind, NeverTold } from './kind.ts';

const programs = (test: string): ByItself => ({ file: 'test/clients/agent/programs.test.ts', test });
const away = (test: string): ByItself => ({ file: 'test/clients/agent/away.test.ts', test });
const kinds = (test: string): ByItself => ({ file: 'test/clients/agent/kinds.test.ts', test });
const mcp = (test: string): ByItself => ({ file: 'test/clients/mcp/mcp.test.ts', test });
const SIGN_IN: NeverTold = { never: 'hoopctl signs in before there is a tunnel, and is told it itself' };
const OPERATORS: NeverTold = { never: 'people at the gateway or its audit are told it, and no agent' };
const RULES = kinds('a refusal by');

/** Of each error by which an operation or a connection is refused, with no rule that says more. */
export const CODE_KINDS: Readonly<Record<ErrorCode, Kind>> = {
  ERR_USAGE: mcp('of a resource that speaks otherwise, or that there is not'),
  ERR_NOT_LOGGED_IN: SIGN_IN,
  ERR_LOGIN_EXPIRED: programs('asks for a login when its own is over'),
  ERR_LOGIN_STALE: OPERATORS,
  ERR_LOGIN_DENIED: SIGN_IN,
  ERR_TOKEN_INVALID: SIGN_IN,
  ERR_TOKEN_TOO_LARGE: SIGN_IN,
  ERR_NO_ID_TOKEN: SIGN_IN,
  ERR_PROOF_INVALID: SIGN_IN,
  ERR_PROOF_NONCE: { never: 'hoopctl answers it with another proof' },
  ERR_REVOKED: away('is told that somebody ended all of it'),
  ERR_AGENT_UNKNOWN: SIGN_IN,
  ERR_GROUPS_MISSING: SIGN_IN,
  ERR_NO_ACCESS: mcp('of a resource that speaks otherwise, or that there is not'),
  ERR_DENIED: RULES,
  ERR_APPROVAL_REQUIRED: programs('does five tasks'),
  ERR_APPROVAL_EXPIRED: away('asks anew when its request is taken back'),
  ERR_APPROVAL_DENIED: programs('hears a no, and does not ask again'),
  ERR_GATEWAY_UNREACHABLE: mcp('waits for a gateway that is away, and goes on as the same'),
  ERR_GATEWAY_TLS: SIGN_IN,
  ERR_ISSUER_UNREACHABLE: SIGN_IN,
  ERR_TARGET_UNREACHABLE: programs('waits for a target that is away'),
  ERR_TARGET_TLS: { at: 'pg-other-ca', otherAt: 'pg', refused: ['SELECT 1'], other: ['SELECT 2'] },
  ERR_TARGET_IDENTITY: {
    by: ssh,
    at: 'host-changed',
    refused: ['ssh', 'host-changed', 'echo', 'up'],
    other: ['ssh', 'host', 'echo', 'up'],
    otherAt: 'host',
  },
  ERR_TARGET_NO_TLS: { at: 'pg-no-tls', otherAt: 'pg', refused: ['SELECT 1'], other: ['SELECT 2'] },
  ERR_TARGET_AUTH: away('waits for a credential that the target takes'),
  ERR_TARGET_CREDENTIAL: away('waits for a credential that is not there'),
  ERR_TARGET_LOST: away('connects anew when the target lets it go'),
  ERR_AUDIT_UNAVAILABLE: away('waits for an audit log that cannot be written'),
  ERR_RECORDING_UNAVAILABLE: away('connects anew when its recording has a hole'),
  ERR_LOCAL_AUTH: away('reports that its password is not that of the tunnel'),
  ERR_PROTOCOL: RULES,
  ERR_MESSAGE_LENGTH: {
    by: bareMessages,
    refused: ['message Q 2147483647'],
    other: ['query SELECT 2'],
    shows: '2',
  },
  ERR_MESSAGE_TYPE: { by: bareMessages, refused: ['message ~ 4'], other: ['query SELECT 2'], shows: '2' },
  ERR_UNSUPPORTED: RULES,
  ERR_SYNTAX: RULES,
  ERR_TOO_LARGE: RULES,
  ERR_SESSION_ENDED: away('connects anew when somebody ended its session'),
  ERR_LIMIT: RULES,
  ERR_BUSY: { never: 'a gateway whose memory is held by many: `npm run stress`' },
  ERR_CONFIG: OPERATORS,
  ERR_KEY_REUSED: { never: 'hoopctl approval request alone has keys, and is told it itself' },
  ERR_NOT_TRIED: { never: 'who decides a request has it tried out, and no agent does' },
  ERR_VERIFY: OPERATORS,
  ERR_INTERNAL: { never: 'a fault of ours, which no test brings about' },
};
