/** Nothing is classified: what is masked, detectors have found. */
export const DETECTING = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql.read", Action::"sql.transaction", Action::"sql.set", Action::"sql.copy-out", Action::"sql.call"], resource);
@id("show") permit (principal, action == Action::"reveal", resource);
@id("found") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column)
when { resource.tags.containsAny(["pii.email", "pii.national-id", "pii.card", "pii.phone", "pii.iban"]) };
`;
