# shellcheck shell=dash
# The Swift tests of vsock, in each state of the kernel that they know: without vsock, without its
# loopback device, and with it. Each of them must run in at least one.
#
# The programs that the tests start are vsock-echo of the same build, and /bin/verypolld.
# shellcheck source=Tests/VM/common.sh
. /tests/common.sh

# Prints the names of the tests with a result. Arguments: "passed after" or "skipped", the files.
names() {
    local result=$1
    shift
    sed -n "s/^[^A-Za-z]*Test \(.*\) $result.*/\1/p" "$@" |
        sed -e '/^run with /d' -e 's/ with [0-9]* test cases\{0,1\}$//' | sort -u
}

# Runs the tests. Arguments: the name of the state, a text for it.
run() {
    local output=/tmp/swift-$1.out status passed
    SWIFT_BACKTRACE=enable=no timeout 240 /build/verypollPackageTests.xctest \
        --testing-library swift-testing --filter '[Vv]sock' >"$output" 2>&1
    status=$?
    passed=$(names "passed after" "$output" | wc -l)
    if [ "$status" = 0 ] && [ "$passed" -gt 0 ]; then
        pass "swift-$1" "$2: $passed Swift tests passed, $(names skipped "$output" | wc -l) skipped"
    else
        grep -v -e ' started\.' -e ' passed after ' -e ' skipped\.' "$output" | tail -n 50
        fail "swift-$1" "$2: the Swift tests ended with status $status, $passed passed"
    fi
}

# The kernel would load both modules when a test makes a vsock socket.
echo >/proc/sys/kernel/modprobe
modprobe -r vsock_loopback
if grep -q '^vsock ' /proc/modules; then fail swift-none "the module vsock is in use"; fi
run none "without vsock"
modprobe vsock || fail swift-vsock "cannot load vsock"
run vsock "with vsock, without its loopback device"
modprobe vsock_loopback || fail swift-loopback "cannot load vsock_loopback"
run loopback "with vsock's loopback device"
echo /sbin/modprobe >/proc/sys/kernel/modprobe

names "passed after" /tmp/swift-*.out >/tmp/passed
names skipped /tmp/swift-*.out | grep -v -x -F -f /tmp/passed >/tmp/never
if [ -s /tmp/never ]; then
    fail swift-all "never run: $(tr '\n' ' ' </tmp/never)"
else
    pass swift-all "$(wc -l </tmp/passed) Swift tests, each in at least one of the states"
fi
