/** The gateway's own certificate and its key, PEM. */
export interface OwnCertificate {
  readonly cert: string;
  readonly key: string;
}
