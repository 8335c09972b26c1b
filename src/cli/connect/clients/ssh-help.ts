import type { ClientHelp } from './half.ts';

export const SSH_HELP: ClientHelp = {
  variables: 'HOOP_SSH_CONFIG, GIT_SSH_COMMAND, RSYNC_RSH, ANSIBLE_SSH_ARGS',
  remark:
    'HOOP_SSH_CONFIG is a file for ssh -F, scp -F and sftp -F, in which a host is called as its resource; the key in it ' +
    'is of no use without the tunnel.',
  socket: "ssh -o ProxyCommand='nc -U DIRECTORY/ssh.22.sock' host-1",
  examples: {
    command: "hoopctl connect host-1 -- sh -c 'rsync -a ./site/ host-1:/srv/site/'",
    ask: "hoopctl approval request host-1 -c 'systemctl restart shop' --reason 'ticket 4711'",
    explain: "hoopctl policy explain host-1 -c 'systemctl restart web'",
    socket: 'hoopctl connect host-1 --socket ~/.hoop/host-1',
  },
};
