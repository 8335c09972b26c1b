import { describe, expect, it } from 'vitest';
import { readCommand } from '../../../src/protocols/ssh/reading/command.ts';

const takes = (text: string) => readCommand(text).takesCommands;

describe('what may do what its standard input says', () => {
  it.each([
    ...[
      'sh',
      '/bin/sh',
      'bash',
      'bash -s',
      'bash -s one two',
      'bash -l',
      'sh -',
      'sh -e',
      'BASH',
      'zsh -x',
      'fish',
    ],
    ...[
      'bash -o pipefail',
      'bash +O extglob',
      'bash --rcfile /x',
      'bash --rcfile /x -s',
      'bash -i script',
      'sh /dev/stdin',
    ],
    ...[
      'bash /proc/self/fd/0',
      'bash -c',
      "sh -c 'sh'",
      "sh -c 'cat /x | sh'",
      'bash -c "bash -c \'dash\'"',
      'sh -c -x ls',
    ],
    ...[
      'python',
      'python3 -',
      'python3.11',
      '/usr/bin/python3 -i x.py',
      'python3 -m code',
      'python -u',
      'python -W error',
    ],
    ...[
      'perl',
      'perl -w',
      'perl -',
      'ruby',
      'node',
      'node -',
      'node -i',
      'php',
      'lua5.4',
      'psql',
      'psql -U me shop',
    ],
    ...[
      'psql -f -',
      'psql -h db',
      'psql -c 1 -f -',
      'lua -e 1 -',
      'mysql shop',
      'mariadb -uroot',
      'sqlite3 x.db',
      'bc',
      'ed',
      'vi file',
      'su -',
      'su',
    ],
    ...[
      'env sh',
      'env LANG=C bash',
      'nice -n 5 sh',
      'sudo sh',
      'sudo -u root bash -s',
      'sudo -i',
      'sudo -s',
      'sudo -Hs',
    ],
    ...[
      'timeout 5 bash',
      'nohup python3 -',
      'exec sh',
      'sudo env nice sh',
      'env -S bash',
      'xargs rm',
      'busybox sh',
    ],
    ...[
      'docker exec -i x sh',
      'kubectl exec -i pod',
      'ssh other',
      'chroot /x',
      'eval ls',
      '. /dev/stdin',
      'crontab -',
    ],
    ...['awk -f -', 'sed -f /dev/stdin', 'make -f-', 'make --file=-', 'find / -exec sh ;'],
    // A shell makes of these what nobody knows before.
    ...['cat /x | sh', 'true; sh', 'if true', '$SHELL', 'echo $(cat)'],
  ])('%s', (text) => {
    expect(takes(text)).toBe(true);
  });

  it.each([
    ...[
      'uptime',
      'cat',
      'cat /var/log/syslog',
      'tee /x',
      'systemctl restart shop',
      'shutdown now',
      'pythonic',
      'bashful',
    ],
    ...[
      'bash deploy.sh',
      'bash -e deploy.sh -s',
      'sh -c uptime',
      "bash -lc 'uptime -p'",
      'bash -o pipefail deploy.sh',
    ],
    ...[
      "sh -c 'bash deploy.sh'",
      'python3 script.py -',
      "python3 -c 'print(1)'",
      'python3 -u -c 1',
      'perl -ne print',
      'perl x.pl',
    ],
    ...[
      "ruby -e 'p 1'",
      "node -e '1'",
      'node server.js',
      "psql -U me -c 'select 1' shop",
      "mysql -uroot -e 'select 1'",
    ],
    ...[
      'env LANG=C uptime',
      'sudo systemctl restart shop',
      'sudo -u root ls',
      'nice -n 5 tar -c /x',
      'timeout 5 bash x.sh',
    ],
    ...['find / -name x', 'sed -n 1,5p /x', "awk '{ print }' /x", 'make all', 'git status', 'exec uptime'],
    ...['scp -t /data', 'rsync --server . /data'],
  ])('%s: not', (text) => {
    expect(takes(text)).toBe(false);
  });
});
