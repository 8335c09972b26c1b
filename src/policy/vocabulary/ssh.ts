import type { ContextKind, VerbRow, VocabularyPart } from './row.ts';

const ASKED: ContextKind = {
  type: 'SshContext',
  facts: `
  // What runs has a terminal.
  terminal: Bool,
  // Variables that are set for it, "LANG=C.UTF-8", and their names.
  env: Set<String>, envNames: Set<String>,
  // Of ssh.signal its name, "TERM"; else empty.
  signal: String,
  // What carries files, "sftp", "scp", "rsync" or "git", else empty; whether whole directories are meant, and whether what
  // is not at the other side is removed.
  tool: String, recursive: Bool, removes: Bool,`,
  worstCase: { terminal: true, env: [], envNames: [], signal: '', tool: '', recursive: true, removes: true },
  recorded: ['terminal', 'tool', 'recursive', 'removes'],
};

type Words = Pick<VerbRow, 'verb' | 'reads'>;

const verbs = (group: string, on: string, rows: readonly Words[]): VerbRow[] =>
  rows.map((row) => ({ ...row, group, on: [on], context: ASKED }));

/** What is asked of hosts over SSH: what runs there, what is forwarded, and which files are touched. */
export const SSH_VOCABULARY: VocabularyPart = {
  name: 'ssh',
  groups: {
    ssh: undefined,
    'ssh.run': 'ssh',
    'ssh.forward': 'ssh',
    sftp: 'ssh',
    'sftp.read': 'sftp',
    'sftp.write': 'sftp',
  },
  entities: `
// A machine, by the name that it has in the configuration; its labels: "env=prod".
entity Host in [Resource] = { name: String, labels: Set<String> };
// What exec is given. Of plain words: the program, the words behind it, how many words there are, and all of them with one
// blank between, quoted where they need it. Where a shell would make something else of it, shell is true, and only text says
// what it is. takesCommands: what it does may stand on its standard input, as with sh, bash -s, python - and, as nobody knows
// better, with all that a shell would make something else of.
entity Command in [Host] = { text: String, program: String, words: Set<String>, count: Long, shell: Bool, takesCommands: Bool };
entity Subsystem in [Host] = { name: String };
// A file or directory, "/var/log/syslog", with its 3 segments. One that is not absolute is below the home of the login.
entity Path in [Host] = { path: String, segments: Set<String>, depth: Long };
// Where a connection goes to that is forwarded by the host, or where the host listens for the client: "*" is everywhere, and
// port 0 one that the host chooses.
entity Address in [Host] = { host: String, port: Long };
`,
  verbs: [
    ...verbs('ssh.run', 'Command', [{ verb: 'ssh.exec' }]),
    ...verbs('ssh.run', 'Subsystem', [{ verb: 'ssh.subsystem' }]),
    ...verbs('ssh.run', 'Host', [{ verb: 'ssh.shell' }, { verb: 'ssh.pty' }, { verb: 'ssh.signal' }]),
    ...verbs('ssh.forward', 'Address', [{ verb: 'ssh.forward-local' }, { verb: 'ssh.forward-remote' }]),
    ...verbs('sftp.read', 'Path', [
      { verb: 'sftp.get', reads: true },
      { verb: 'sftp.list', reads: true },
      { verb: 'sftp.stat', reads: true },
    ]),
    ...verbs('sftp.write', 'Path', [
      { verb: 'sftp.put' },
      { verb: 'sftp.remove' },
      { verb: 'sftp.mkdir' },
      { verb: 'sftp.rmdir' },
      { verb: 'sftp.rename' },
      { verb: 'sftp.setstat' },
      { verb: 'sftp.link' },
    ]),
  ],
};
