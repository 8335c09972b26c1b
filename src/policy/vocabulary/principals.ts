/** Attributes that an issuer may attest, as `principal.attested.model`; any other is `principal.getTag("…")`. */
export const ATTESTED_NAMES = [
  'model',
  'modelVersion',
  'repository',
  'repositoryOwner',
  'ref',
  'sha',
  'workflow',
  'jobWorkflowRef',
  'runId',
  'runAttempt',
  'eventName',
  'environment',
  'actor',
  'projectPath',
  'pipelineId',
  'jobId',
] as const;

/** What a caller may say of itself, as `principal.declared.model`. */
export const DECLARED_NAMES = ['model', 'modelVersion'] as const;

/** Cedar's declarations of who asks. */
export const PRINCIPALS = `
entity Group;
type Attested = { ${ATTESTED_NAMES.map((name) => `${name}?: String`).join(', ')} };
type Declared = { ${DECLARED_NAMES.map((name) => `${name}?: String`).join(', ')} };
// Tags of a principal: everything that its issuer attests, by name.
entity Agent in [Group] = {
  name: String, issuer: String, attested: Attested, declared: Declared, person?: Person
} tags String;
entity Person in [Group] = {
  name: String, issuer: String, attested: Attested, declared: Declared, agent?: Agent
} tags String;
`;
