import { AwsV4Signer } from 'aws4fetch';
import type { Field } from '../request/fields/read-fields.ts';
import { type Ask, noCredential } from './configured.ts';
import type { HttpCredential } from './credential.ts';

export interface SigV4Options {
  readonly region: string;
  readonly service: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Ask;
}

/** What a signer of its own would add or sign with it. */
const OWN = ['authorization', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token'];

/**
 * Signs each request as AWS wants it. Object stores are sent bodies unsigned, over TLS, as they allow; all others have the
 * hash of the whole body signed.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html
 */
export function sigV4Credential({ secretAccessKey, ...options }: SigV4Options): HttpCredential {
  return {
    ...noCredential,
    rules: { credentialHeaders: OWN },
    signsBody: options.service !== 's3',
    async show({ method, headers }, address, body) {
      const signer = new AwsV4Signer({
        ...options,
        secretAccessKey: secretAccessKey().expose(),
        method,
        url: address().href,
        headers: headers.filter(([name]) => name === 'content-type' || name.startsWith('x-amz-')) as [
          string,
          string,
        ][],
        ...(body === undefined || body.length === 0 ? {} : { body: body as Uint8Array<ArrayBuffer> }),
      });
      const signed = await signer.sign();
      const added = OWN.map((name): Field => [name, signed.headers.get(name) ?? '']);
      return { headers: added.filter(([, value]) => value !== '') };
    },
    secrets: () => [secretAccessKey().expose()],
  };
}
