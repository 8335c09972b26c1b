import type { CanonicalRequest } from '../../http/request/canonical.ts';
import { mayTakeCommands } from '../../stream/command/may-take-commands.ts';
import { takesCommands } from '../../stream/command/takes-commands.ts';
import { textOfWords } from '../../stream/command/words.ts';
import { type KubernetesRefusal, refused } from './refusals.ts';

/** What a stream into a pod is asked to be. */
export interface AskedStream {
  /** Words of the command, the program first, as they are run: no shell has read them. Empty: what runs there runs already. */
  readonly argv: readonly string[];
  /** All of them as one text, quoted where they need it. */
  readonly text: string;
  /** The program does what a text says that it is given by its words, or by its input: a shell, or an interpreter. */
  readonly shell: boolean;
  /** What it does may stand on its input. Of what runs already nobody knows: true. */
  readonly takesCommands: boolean;
  readonly stdin: boolean;
  readonly tty: boolean;
  /** Empty: the only one, or the pod's first. */
  readonly container: string;
  /** Of a pod, that connections go to, as far as the request names them. */
  readonly ports: readonly number[];
}

type Parameters = CanonicalRequest['parameters'];

const CONTAINER = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const PORT = /^[1-9][0-9]{0,4}$/;
/** As the server reads them. */
const [TRUE, FALSE] = [new Set(['true', '1']), new Set(['false', '0'])];
const MAX_PORT = 0xffff;

/**
 * Reads what the query of a stream asks for. Pure.
 *
 * @param action `k8s.exec`, `k8s.attach`, `k8s.port-forward`.
 * @returns Refused: it names no command, or what servers could read in two ways. Never throws.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-connect-get-requests-to-exec-of-pod
 */
export function readStream(parameters: Parameters, action: string): AskedStream | KubernetesRefusal {
  const all = (wanted: string) => parameters.flatMap(([name, value]) => (name === wanted ? [value] : []));
  const flag = (name: string) => {
    const [value] = all(name);
    return value === undefined || FALSE.has(value) ? false : TRUE.has(value) || undefined;
  };
  const [stdin, tty] = [flag('stdin'), flag('tty')];
  if (stdin === undefined || tty === undefined || [flag('stdout'), flag('stderr')].includes(undefined))
    return refused('k8s-query', 'stdin, stdout, stderr or tty is neither true nor false');
  const argv = action === 'k8s.exec' ? all('command') : [];
  if (action === 'k8s.exec' && (argv[0] ?? '') === '') return refused('k8s-query', 'no command is named');
  const [container = ''] = all('container');
  if (container !== '' && !CONTAINER.test(container))
    return refused('k8s-query', 'the container has a name that none has');
  const ports = all('ports').flatMap((value) => value.split(','));
  if (ports.some((port) => !PORT.test(port) || Number(port) > MAX_PORT))
    return refused('k8s-query', 'a port is none');
  const runs = action === 'k8s.port-forward' ? NOTHING : runsOf(argv);
  return { argv, ...runs, stdin, tty, container, ports: ports.map(Number) };
}

const NOTHING = { text: '', shell: false, takesCommands: false };

function runsOf(argv: readonly string[]): Pick<AskedStream, 'text' | 'shell' | 'takesCommands'> {
  if (argv.length === 0) return { text: '', shell: true, takesCommands: true };
  // What a shell is told by its words is a text of its own: none of them says what it does.
  const shell = takesCommands(argv, () => true);
  return { text: textOfWords(argv), shell, takesCommands: mayTakeCommands(argv) };
}
