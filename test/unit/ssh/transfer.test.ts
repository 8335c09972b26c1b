import { describe, expect, it } from 'vitest';
import { readCommand } from '../../../src/protocols/ssh/reading/command.ts';

const read = { direction: 'read', recursive: false, removes: false } as const;
const write = { direction: 'write', recursive: false, removes: false } as const;

describe('a command that moves files', () => {
  it.each([
    ['scp -f /data/x', { tool: 'scp', ...read, paths: ['/data/x'] }],
    ['scp -v -r -p -f -- -x', { tool: 'scp', ...read, recursive: true, paths: ['-x'] }],
    ['scp -f /a /b', { tool: 'scp', ...read, paths: ['/a', '/b'] }],
    ['scp -prd -t /data', { tool: 'scp', ...write, recursive: true, paths: ['/data'] }],
    ["scp -t '/data/a b'", { tool: 'scp', ...write, paths: ['/data/a b'] }],
    [
      'rsync --server --sender -logDtpre.iLsfxCIvu . /data/',
      { tool: 'rsync', ...read, recursive: true, paths: ['/data/'] },
    ],
    [
      'rsync --server -vlogDtpre.iLsfxCIvu --delete . /data',
      { tool: 'rsync', ...write, recursive: true, removes: true, paths: ['/data'] },
    ],
    [
      'rsync --server --sender -e.LsfxCIvu --remove-source-files . x',
      { tool: 'rsync', ...read, removes: true, paths: ['x'] },
    ],
    ['rsync --server -te.LsfxCIvu --timeout=30 . x', { tool: 'rsync', ...write, paths: ['x'] }],
    ["git-upload-pack '/srv/a.git'", { tool: 'git', ...read, recursive: true, paths: ['/srv/a.git'] }],
    ["git-receive-pack 'a.git'", { tool: 'git', ...write, recursive: true, paths: ['a.git'] }],
    ['git upload-archive a.git', { tool: 'git', ...read, recursive: true, paths: ['a.git'] }],
  ])('%s', (text, transfer) => {
    expect(readCommand(text).transfer).toEqual(transfer);
  });

  it.each([
    ...[
      'scp',
      'scp -t',
      'scp /a /b',
      'scp -t -f /a',
      'scp -t /a /b',
      'scp -S /bin/sh -f /a',
      'scp -fo x',
      'scp -f',
      'scp -f -- ""',
    ],
    ...[
      '/tmp/scp -f /data',
      './scp -f /x',
      'SCP -f /x',
      'scp -f /x -r',
      'scp -oProxyCommand=x -t /a',
      "scp ''",
    ],
    ...[
      'rsync /a /b',
      'rsync --daemon',
      'rsync --server --daemon .',
      'rsync --server -re.L /a',
      'rsync --server . ',
      'rsync -e sh --server . /a',
    ],
    ...[
      'rsync --server -re.L --log-file=/etc/x . /a',
      'rsync --server -re.L --backup-dir=/x . /a',
      'rsync --server -re.L --files-from=/x . /a',
    ],
    ...[
      'rsync --server -sre.L',
      'rsync --server -sre.L . /a',
      'rsync --server -re.L --temp-dir=/x . /a',
      'rsync --server -re.L --config=/x . /a',
    ],
    ...[
      'rsync --server -re.L . /a --sender',
      'rsync --server -re.L . /a /b',
      'rsync --server -re.L --rsync-path=x . /a',
      'rsync --server -MX . /a',
    ],
    ...[
      'git-upload-pack',
      'git-upload-pack --x y',
      'git-upload-pack a b',
      'git -c core.pager=x upload-pack a',
      'git clone a',
      'git-shell a',
    ],
    ...["git-upload-pack ''", 'git-receive-pack --exec=x', 'sftp-server', 'cat /etc/x', "sh -c 'scp -f x'"],
  ])('%s is none, as far as can be known', (text) => {
    expect(readCommand(text).transfer).toBeUndefined();
  });

  it.each([
    'scp /a /b',
    'rsync -e sh --server . /a',
    'rsync --server --sender -e.L --files-from=/x . /a',
    '/usr/bin/rsync --server -re.L . /a',
    './scp -S sh -f /x',
    'git-upload-pack --x y',
    'git upload-pack --x y',
    '/usr/bin/git upload-pack x',
  ])('%s moves files, and nobody knows which: no rule on its program is met', (text) => {
    expect(readCommand(text)).toEqual({ argv: undefined, text, takesCommands: true });
  });

  it.each(['git status', 'cat scp', 'rsyncd', 'git log upload-pack'])('%s moves none', (text) => {
    expect(readCommand(text)).toEqual({ argv: text.split(' '), text, takesCommands: false });
  });

  it.each(['scp -f /data/*', 'scp -f ~/x', 'rsync --server -re.L . ~', 'scp -f $X', 'scp -f a;scp -t b'])(
    '%s is for a shell to resolve',
    (text) => {
      expect(readCommand(text)).toEqual({ argv: undefined, text, takesCommands: true });
    },
  );

  it('has one form for rules and people', () => {
    expect(readCommand('  "cat"   \'/data/a b\' x ').text).toBe("cat '/data/a b' x");
  });
});
