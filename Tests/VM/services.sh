# shellcheck shell=dash
# The daemon starts, and its echo and proxy return each byte over TCP and Unix-domain sockets. The
# servers behind the proxy are other programs: socat and cat.
# shellcheck source=Tests/VM/common.sh
. /tests/common.sh

cat >/tmp/services.json <<'END'
{
  "listeners": {
    "echo": {
      "listen": ["127.0.0.1:7001", "[::1]:7001", "unix:/run/verypolld/echo.sock"],
      "handler": { "type": "echo" }
    },
    "tcp": {
      "listen": ["127.0.0.1:7002", "unix:/run/verypolld/tcp.sock"],
      "handler": { "type": "proxy", "upstream": "tcp" }
    },
    "unix": {
      "listen": ["127.0.0.1:7003", "unix:/run/verypolld/unix.sock"],
      "handler": { "type": "proxy", "upstream": "unix" }
    }
  },
  "upstreams": {
    "tcp": { "servers": ["127.0.0.1:7101"] },
    "unix": { "servers": ["unix:/run/server.sock"] }
  }
}
END
head -c 4194304 /dev/urandom >/tmp/bytes
socat TCP-LISTEN:7101,bind=127.0.0.1,fork EXEC:cat &
servers=$!
socat UNIX-LISTEN:/run/server.sock,fork EXEC:cat &
servers="$servers $!"
await 20 test -S /run/server.sock
await 20 socat -u /dev/null TCP:127.0.0.1:7101

start_daemon start /tmp/services.json "$control"
pass start "$(verypolld --version) answers as process $daemon"
check_echo echo-tcp4 TCP:127.0.0.1:7001 "echo over IPv4"
check_echo echo-tcp6 'TCP6:[::1]:7001' "echo over IPv6"
check_echo echo-unix UNIX-CONNECT:/run/verypolld/echo.sock "echo over a Unix-domain socket"
check_echo proxy-tcp-tcp TCP:127.0.0.1:7002 "proxy from TCP to TCP"
check_echo proxy-tcp-unix TCP:127.0.0.1:7003 "proxy from TCP to Unix"
check_echo proxy-unix-tcp UNIX-CONNECT:/run/verypolld/tcp.sock "proxy from Unix to TCP"
check_echo proxy-unix-unix UNIX-CONNECT:/run/verypolld/unix.sock "proxy from Unix to Unix"
stop_daemon "$daemon" stop
if [ -e /run/verypolld/echo.sock ] || [ -e "$control" ]; then
    fail stop "socket files remain"
else
    pass stop "the daemon ended with status 0 and removed its socket files"
fi
# shellcheck disable=SC2086
kill $servers
