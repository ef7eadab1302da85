# shellcheck shell=dash
# Listeners and servers with vsock addresses, on the loopback device of vsock (CID 1). The clients
# and the servers behind the proxy are socat.
# shellcheck source=Tests/VM/common.sh
. /tests/common.sh

modprobe vsock_loopback || fail vsock-module "cannot load vsock_loopback"
head -c 1048576 /dev/urandom >/tmp/bytes
socat VSOCK-LISTEN:7101,fork EXEC:cat &
servers=$!
socat TCP-LISTEN:7102,bind=127.0.0.1,fork EXEC:cat &
servers="$servers $!"
await 20 socat -u /dev/null VSOCK-CONNECT:1:7101
await 20 socat -u /dev/null TCP:127.0.0.1:7102
# Without the daemon, so that a failure below is the daemon's.
check_echo vsock-module VSOCK-CONNECT:1:7101 "socat to socat over vsock"

cat >/tmp/vsock.json <<'END'
{
  "listeners": {
    "echo": { "listen": ["vsock:1:7001"], "handler": { "type": "echo" } },
    "to-tcp": {
      "listen": ["vsock:1:7002"],
      "handler": { "type": "proxy", "upstream": "tcp" }
    },
    "to-vsock": {
      "listen": ["127.0.0.1:7003", "vsock:1:7003"],
      "handler": { "type": "proxy", "upstream": "vsock" }
    }
  },
  "upstreams": {
    "tcp": { "servers": ["127.0.0.1:7102"] },
    "vsock": { "servers": ["vsock:1:7101"] }
  }
}
END
start_daemon vsock-start /tmp/vsock.json "$control"
pass vsock-start "the daemon listens on vsock:1:7001"
check_echo vsock-echo VSOCK-CONNECT:1:7001 "echo over vsock"
check_echo vsock-proxy-tcp VSOCK-CONNECT:1:7002 "proxy from vsock to TCP"
check_echo vsock-proxy-from-tcp TCP:127.0.0.1:7003 "proxy from TCP to vsock"
check_echo vsock-proxy-vsock VSOCK-CONNECT:1:7003 "proxy from vsock to vsock"
stop_daemon "$daemon" vsock-stop
# shellcheck disable=SC2086
kill $servers
