# shellcheck shell=dash
# Idle sessions in one process: memory for each session, and whether it stays the same.
#
# vm.sessions is the number of sessions of the handler echo, which cost the daemon one descriptor
# each; vm.proxied is the number of sessions of a proxy, which cost two. Each client exchanges one
# byte first. The servers of the proxy are a second daemon, on eight addresses, because a source
# and a destination address have at most 64,512 connections.
# shellcheck source=Tests/VM/common.sh
. /tests/common.sh

# With Debian's default, the first byte of each 2 MiB of memory makes all of them resident. That
# would hide what a session needs.
echo never >/sys/kernel/mm/transparent_hugepage/enabled

sessions=$(parameter vm.sessions)
proxied=$(parameter vm.proxied)

# Without keep-alive, because the probes of so many sessions would occupy an emulated processor.
# Arguments: the most sessions, the listener, its port, its handler, further members.
configuration() {
    cat <<END
{
  "workers": 2,
  "limits": { "maxSessions": $1 },
  "listeners": {
    "$2": {
      "listen": ["0.0.0.0:$3"],
      "handler": $4,
      "timeouts": { "firstByte": "1h", "idle": "1h" },
      "socket": { "backlog": 4096, "keepAlive": "off" }
    }
  }$5
}
END
}

resident() { awk '/^VmRSS:/ { print $2 * 1024 }' "/proc/$1/status"; }
slab() { awk '/^Slab:/ { print $2 * 1024 }' /proc/meminfo; }
mebibytes() { echo "$(($1 / 1048576)) MiB"; }
# The sessions that the daemon counts.
active() {
    verypollctl --socket "$1" --timeout 60 metrics |
        awk '/^verypolld_active_sessions / { print $2 }'
}
# Asks rarely, because each question occupies an emulated processor.
counts() { sleep 1 && [ "$(active "$1")" = "$2" ]; }

# Opens connections by several loads, and waits until each connection has its byte back. `holders`
# is the list of the loads. Arguments: the port, the connections.
holders=
number=0
hold() {
    local port=$1 count=$2 name new='' left interval=2
    for left in 5 4 3 2 1; do
        number=$((number + 1))
        name="hold-$number"
        mkfifo "/tmp/$name"
        idle "$port" $((count / left)) 1 <"/tmp/$name" >"/tmp/$name.out" 2>&1 &
        count=$((count - count / left))
        # Holds the pipe open. Its end ends the load.
        sleep 100000 >"/tmp/$name" &
        holders="$holders $name:$!"
        new="$new /tmp/$name.out"
    done
    for name in $new; do await 900 grep -q READY "$name"; done
}

# Prints how many connections are still open. Arguments: none.
held() {
    local sum=0 holder name count
    for holder in $holders; do
        name=${holder%:*}
        echo >"/tmp/$name"
        await 60 grep -q '^[0-9]' "/tmp/$name.out"
        count=$(sed -n '/^[0-9]/p' "/tmp/$name.out" | tail -n 1)
        sum=$((sum + count))
    done
    echo "$sum"
}

release() {
    local holder
    for holder in $holders; do kill "${holder#*:}"; rm "/tmp/${holder%:*}"; done
    holders=
}

# Opens sessions up to the given counts, and measures. Arguments: the kind, the process, the control
# socket, the port, the descriptors of a session, the counts.
measure() {
    local kind=$1 process=$2 socket=$3 port=$4 first='' each count opened=0
    shift 4
    # The first sessions allocate what all sessions share.
    hold "$port" 10
    release
    await 60 counts "$socket" 0
    local resident_before slab_before now descriptors missing repeated
    resident_before=$(resident "$process")
    slab_before=$(slab)
    for count in "$@"; do
        hold "$port" $((count - opened))
        opened=$count
        # A load closes a connection that gets no answer in 5 s, as on a busy host.
        repeated=0
        while [ "$repeated" -lt 10000 ] && ! await 10 counts "$socket" "$count"; do
            missing=$((count - $(active "$socket")))
            repeated=$((repeated + missing))
            hold "$port" "$missing"
        done
        now=$(resident "$process")
        each=$(((now - resident_before) / count))
        descriptors=$(find "/proc/$process/fd" -mindepth 1 | wc -l)
        if await 60 counts "$socket" "$count"; then
            pass "$kind-$count" "$count $kind sessions, $(mebibytes "$now") resident, $each bytes \
per session; $descriptors descriptors; kernel: $((($(slab) - slab_before) / count)) bytes of slab \
per session, with the clients' sockets; $repeated connections repeated"
        else
            fail "$kind-$count" "$(active "$socket") of $count sessions"
        fi
        first=${first:-$each}
    done
    if [ $((each * 100)) -ge $((first * 90)) ] && [ $((each * 100)) -le $((first * 110)) ]; then
        pass "$kind-flat" "$first bytes per session at $1, $each at $count"
    else
        fail "$kind-flat" "$first bytes per session at $1, $each at $count; expected at most 10 % \
apart"
    fi
    head -c 65536 /dev/urandom >/tmp/bytes
    check_echo "$kind-serves" "TCP:127.0.0.1:$port" "one more session beside $count"
    held=$(held)
    if [ "$held" = "$count" ]; then
        pass "$kind-held" "all $held sessions are still open"
    else
        fail "$kind-held" "$held of $count sessions are still open"
    fi
    local begin
    begin=$(date +%s)
    release
    if await 900 counts "$socket" 0; then
        pass "$kind-ended" "0 sessions $(($(date +%s) - begin)) s after the end of the clients, \
$(mebibytes "$(resident "$process")") resident"
    else
        fail "$kind-ended" "$(active "$socket") sessions remain"
    fi
}

echo_handler='{ "type": "echo" }'
configuration $((sessions + 10000)) echo 7001 "$echo_handler" >/tmp/echo.json
# The daemon must not promise sessions for which there are no descriptors.
refusal=$(ulimit -n 1024 && verypolld --check-config --config /tmp/echo.json 2>&1)
status=$?
if [ "$status" = 78 ]; then
    pass limit "with 1,024 descriptors: $(echo "$refusal" | head -n 1)"
else
    fail limit "--check-config ended with status $status: $refusal"
fi

start_daemon sessions /tmp/echo.json "$control"
middle=$([ "$sessions" -le 100000 ] || echo 100000)
# shellcheck disable=SC2086
measure echo "$daemon" "$control" 7001 10000 $middle "$sessions"
stop_daemon "$daemon" echo-stop

servers=
for address in 2 3 4 5 6 7 8 9; do servers="$servers, \"127.1.0.$address:7101\""; done
configuration $((proxied + 10000)) server 7101 "$echo_handler" >/tmp/server.json
configuration $((proxied + 10000)) proxy 7002 '{ "type": "proxy", "upstream": "pool" }' \
    ", \"upstreams\": { \"pool\": { \"servers\": [${servers#, }] } }" >/tmp/proxy.json
start_daemon servers /tmp/server.json /run/server.sock
server=$daemon
start_daemon sessions /tmp/proxy.json "$control"
measure proxied "$daemon" "$control" 7002 10000 "$proxied"
stop_daemon "$daemon" proxied-stop
stop_daemon "$server" servers-stop
