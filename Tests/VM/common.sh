# shellcheck shell=dash
# The common part of the tests in a virtual machine.
#
# Each result is one line on the console: "vm: ok NAME: TEXT" or "vm: FAIL NAME: TEXT". Other lines
# that begin with "vm: " control Scripts/test-vm. Everything else is shown only after a failure.

# shellcheck disable=SC2034
control=/run/verypolld/control.sock

say() { echo "vm: $*"; }
pass() { say "ok $1: $2"; }
fail() { say "FAIL $1: $2"; }

# Prints the value of a parameter of the kernel's command line.
parameter() { tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p"; }

# Runs a command until it succeeds, for at most the given seconds. `interval` is the time between
# two runs, which start programs and so occupy an emulated processor.
await() {
    local end=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$end" ] || return 1
        sleep "${interval:-0.1}"
    done
}

# Starts the daemon with a configuration file, and waits until it answers. Sets `daemon` to its
# process id. Arguments: the name of the check, the file, the control socket.
start_daemon() {
    verypolld --config "$2" --socket "$3" >>/tmp/daemon.log 2>&1 &
    # shellcheck disable=SC2034
    daemon=$!
    if await 60 verypollctl --socket "$3" --timeout 20 ping; then return; fi
    tail -n 20 /tmp/daemon.log
    fail "$1" "the daemon does not answer"
    exit 1
}

stop_daemon() {
    kill -TERM "$1"
    wait "$1" || fail "$2" "the daemon ended with status $?"
}

# Sends the bytes of /tmp/bytes through a socat address, and checks that the same bytes come back
# after a half-close. Arguments: the name of the check, the address, the text of the result.
check_echo() {
    if exchange "$2" /tmp/bytes; then
        pass "$1" "$3: $(wc -c </tmp/bytes) bytes returned exactly"
    else
        fail "$1" "$3: $(wc -c </tmp/answer.$$) of $(wc -c </tmp/bytes) bytes returned, or others"
    fi
}

exchange() {
    timeout 120 socat -t 60 - "$1" <"$2" >"/tmp/answer.$$" && cmp -s "$2" "/tmp/answer.$$"
}
