/**
 * What starts a program with the Node beside it, wherever the folder was put and by whatever link it is called. For any
 * shell of POSIX; no other program is run unless it is called by a link.
 */
export function launcher(name: string): string {
  return `#!/bin/sh
self=$0
case $self in
  */*) ;;
  *) self=./$self ;;
esac
while [ -L "$self" ]; do
  to=$(readlink "$self")
  case $to in
    /*) self=$to ;;
    *) self=\${self%/*}/$to ;;
  esac
done
lib=\${self%/*}/../lib/${name}
exec "$lib/node" "$lib/bin/${name}.js" "$@"
`;
}
