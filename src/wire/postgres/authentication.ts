import { type Codec, codec } from './codec.ts';
import type { Reader } from './reader.ts';
import { BACKEND, FRONTEND } from './types.ts';
import type { Writer } from './writer.ts';

/** What the backend asks for, or says, while the frontend logs in. */
export interface Authentication {
  readonly name: 'Authentication';
  readonly request: AuthenticationRequest;
}

type AuthenticationRequest =
  | { readonly method: BareMethod }
  /** Exactly 4 octets of salt. */
  | { readonly method: 'MD5Password'; readonly salt: Buffer }
  | { readonly method: 'SASL'; readonly mechanisms: readonly string[] }
  | { readonly method: 'SASLContinue' | 'SASLFinal' | 'GSSContinue'; readonly data: Buffer };

type BareMethod = 'Ok' | 'CleartextPassword' | 'KerberosV5' | 'GSS' | 'SSPI';

const METHODS = {
  Ok: 0,
  KerberosV5: 2,
  CleartextPassword: 3,
  MD5Password: 5,
  GSS: 7,
  GSSContinue: 8,
  SSPI: 9,
  SASL: 10,
  SASLContinue: 11,
  SASLFinal: 12,
} as const;

export const Authentication: Codec<Authentication> = codec<Authentication>(
  'Authentication',
  BACKEND.Authentication,
  (reader) => ({ request: readRequest(reader) }),
  (writer, { request }) => writeRequest(writer, request),
);

function readRequest(reader: Reader): AuthenticationRequest {
  const code = reader.uint32();
  switch (code) {
    case METHODS.MD5Password:
      return { method: 'MD5Password', salt: reader.bytes(4) };
    case METHODS.SASL:
      return { method: 'SASL', mechanisms: readMechanisms(reader) };
    case METHODS.SASLContinue:
      return { method: 'SASLContinue', data: reader.rest() };
    case METHODS.SASLFinal:
      return { method: 'SASLFinal', data: reader.rest() };
    case METHODS.GSSContinue:
      return { method: 'GSSContinue', data: reader.rest() };
    default:
      return { method: bareMethod(code) ?? reader.fail(`unknown method ${code}`) };
  }
}

function bareMethod(code: number): BareMethod | undefined {
  const names = ['Ok', 'CleartextPassword', 'KerberosV5', 'GSS', 'SSPI'] as const;
  return names.find((name) => METHODS[name] === code);
}

/** Strings up to an empty one. */
function readMechanisms(reader: Reader): string[] {
  const mechanisms: string[] = [];
  for (let name = reader.string(); name !== ''; name = reader.string()) mechanisms.push(name);
  return mechanisms;
}

function writeRequest(writer: Writer, request: AuthenticationRequest): void {
  writer.uint32(METHODS[request.method]);
  if ('salt' in request) writer.bytes(request.salt);
  if ('data' in request) writer.bytes(request.data);
  if ('mechanisms' in request) {
    for (const name of request.mechanisms) writer.string(name);
    writer.byte(0);
  }
}

/** `p`: what it holds depends on what the backend asked for. Read `data` with one of the three below. */
export interface AuthenticationResponse {
  readonly name: 'AuthenticationResponse';
  readonly data: Buffer;
}

/** SASLResponse is this and nothing more: `data` is the mechanism's own message. */
export const AuthenticationResponse: Codec<AuthenticationResponse> = codec<AuthenticationResponse>(
  'AuthenticationResponse',
  FRONTEND.AuthenticationResponse,
  (reader) => ({ data: reader.rest() }),
  (writer, { data }) => writer.bytes(data),
);

/** The answer to CleartextPassword or MD5Password. */
export interface PasswordMessage {
  readonly name: 'PasswordMessage';
  readonly password: string;
}

export const PasswordMessage: Codec<PasswordMessage> = codec<PasswordMessage>(
  'PasswordMessage',
  FRONTEND.AuthenticationResponse,
  (reader) => ({ password: reader.string() }),
  (writer, { password }) => writer.string(password),
);

/** The answer to SASL: which mechanism, and its first message (null: none). */
export interface SASLInitialResponse {
  readonly name: 'SASLInitialResponse';
  readonly mechanism: string;
  readonly data: Buffer | null;
}

export const SASLInitialResponse: Codec<SASLInitialResponse> = codec<SASLInitialResponse>(
  'SASLInitialResponse',
  FRONTEND.AuthenticationResponse,
  (reader) => ({ mechanism: reader.string(), data: reader.value() }),
  (writer, fields) => writer.string(fields.mechanism).value(fields.data),
);
