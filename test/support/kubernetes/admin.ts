/** What an administrator does in a cluster for tests, past any gateway. */
import { type ClusterSettings, runningCluster } from './cluster.ts';
import { newestKubectl, runProgram } from './kubectl.ts';

/** @param args Of kubectl. @returns What it prints. @throws {Error} It fails. */
export async function admin(
  args: readonly string[],
  input = '',
  settings: ClusterSettings = runningCluster(),
): Promise<string> {
  const env = { KUBECONFIG: settings.kubeconfig };
  const { code, stdout, stderr } = await runProgram(newestKubectl().path, args, { env, input });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** With what is in it: nothing in these clusters collects that. */
export async function removeNamespace(
  namespace: string,
  settings: ClusterSettings = runningCluster(),
): Promise<void> {
  const all = ['delete', 'pods,secrets', '--all', '--force', '--grace-period=0', '--wait=false'];
  await admin(['-n', namespace, ...all], '', settings);
  await admin(['delete', 'namespace', namespace, '--wait=false'], '', settings);
  const gone = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace }, spec: {} };
  const path = `/api/v1/namespaces/${namespace}/finalize`;
  await admin(['replace', '--raw', path, '-f', '-'], JSON.stringify(gone), settings);
}
