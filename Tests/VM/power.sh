# shellcheck shell=dash
# One life of a machine that loses its power, or the check after the last loss.
#
# The daemon writes no state to a disk. After a power loss, a disk has the configuration file, as
# some tool delivered it, and the files of Unix-domain sockets, on which nothing listens any more.
# So each life checks what the life before has left: the file is the whole of one delivery, not
# older than the last one that was acknowledged (vm.acknowledged); the daemon starts with it, and
# replaces the files of sockets. Then sessions, deliveries, reloads and restarts go on until
# Scripts/test-vm kills the machine, or with vm.last, the machine ends in order.
# shellcheck source=Tests/VM/common.sh
. /tests/common.sh

folder=/disk/verypolld
file=$folder/verypolld.json
control=$folder/control.sock
log=$folder/log

# Writes the configuration of a delivery. It is longer than a few blocks, and each part of it
# depends on the number.
configuration() {
    awk -v number="$1" -v folder="$folder" 'BEGIN {
        printf "{\n  \"limits\": { \"maxSessions\": %d },\n", 10000 + number
        print "  \"drain\": { \"deadline\": \"1s\" },\n  \"log\": { \"sessions\": true },"
        print "  \"listeners\": {\n    \"echo\": {"
        printf "      \"listen\": [\"127.0.0.1:7001\", \"unix:%s/echo.sock\"],\n", folder
        print "      \"handler\": { \"type\": \"echo\" }\n    },\n    \"proxy\": {"
        print "      \"listen\": [\"127.0.0.1:7002\"],"
        print "      \"handler\": { \"type\": \"proxy\", \"upstream\": \"cat\" }\n    }\n  },"
        print "  \"upstreams\": {\n    \"cat\": { \"servers\": [\"127.0.0.1:7101\"] },"
        print "    \"many\": {\n      \"servers\": ["
        for (i = 0; i < 400; i++) {
            printf "        \"10.%d.%d.%d:%d\"", number % 250, i / 200, i % 200, 1000 + number
            print i < 399 ? "," : ""
        }
        print "      ]\n    }\n  }\n}"
    }'
}

# The number of the delivery that a file, or the input, contains; nothing if there is none.
number_of() {
    sed -n 's/.*"maxSessions" *: \([0-9]*\).*/\1/p' "$@" | awk '{ print $1 - 10000; exit }'
}

# The number of the delivery that is in effect.
effective() { verypollctl --socket "$control" --timeout 30 config show | number_of; }

# Delivers a configuration so that a loss leaves the old file or the new one.
deliver() {
    configuration "$1" >"$file.new" && sync "$file.new" && mv "$file.new" "$file" &&
        sync "$folder"
}

start() {
    verypolld --config "$file" --socket "$control" >>"$log" 2>&1 &
    daemon=$!
    await 60 verypollctl --socket "$control" --timeout 20 ping
}

visit_forever() { while sleep 0.1; do exchange "$1" /tmp/bytes; done; }

modprobe virtio_pci && modprobe virtio_blk && modprobe ext4
await 20 test -b /dev/vda
mkdir -p /disk
# Replays the journal, as every start after a power loss does.
if ! mount -t ext4 /dev/vda /disk; then
    fail power-disk "cannot mount the disk"
    exit 1
fi
if [ ! -e "$folder" ]; then
    mkdir "$folder"
    deliver 0
fi

# What the life before has left.
acknowledged=$(parameter vm.acknowledged)
number=$(number_of "$file")
configuration "${number:-0}" >/tmp/expected
if [ "${number:--1}" -ge "$acknowledged" ] && cmp -s "$file" /tmp/expected; then
    pass power-file "the file is the whole of delivery $number; $acknowledged was acknowledged"
else
    fail power-file "the file is not the whole of a delivery from $acknowledged on"
    head -n 3 "$file"
fi
if verypolld --check-config --config "$file" >/tmp/check 2>&1; then
    pass power-valid "the daemon accepts the file"
else
    fail power-valid "$(head -n 1 /tmp/check)"
fi
stale=$(find "$folder" -type s | wc -l)
begun=$([ ! -e "$file.new" ] || echo "; a delivery had begun")
if start; then
    pass power-start "the daemon started over $stale stale socket files$begun"
else
    tail -n 20 "$log"
    fail power-start "the daemon did not start over $stale stale socket files"
    exit 1
fi
if [ "$(effective)" = "$number" ]; then
    pass power-effect "delivery $number is in effect"
else
    fail power-effect "delivery $(effective) is in effect, not $number"
fi
head -c 65536 /dev/urandom >/tmp/bytes
socat TCP-LISTEN:7101,bind=127.0.0.1,fork EXEC:cat &
await 20 socat -u /dev/null TCP:127.0.0.1:7101
check_echo power-unix "UNIX-CONNECT:$folder/echo.sock" "echo over the replaced socket"
check_echo power-proxy TCP:127.0.0.1:7002 "proxy"

if [ -n "$(parameter vm.last)" ]; then
    # A file that was not delivered this way, and was cut by a loss, must not come into effect.
    head -c 5000 "$file" >/tmp/cut.json
    cp "$file" /tmp/whole.json && cp /tmp/cut.json "$file"
    verypollctl --socket "$control" --timeout 30 reload >/tmp/answer 2>&1
    status=$?
    if [ "$status" = 5 ] && [ "$(effective)" = "$number" ]; then
        pass power-cut "a reload refuses a cut file: $(head -n 1 /tmp/answer)"
    else
        fail power-cut "a reload of a cut file ended with status $status"
    fi
    stop_daemon "$daemon" power-stop
    umount /disk && pass power-stop "the daemon and the disk ended in order"
    exit
fi

{
    visit_forever TCP:127.0.0.1:7002 &
    visit_forever "UNIX-CONNECT:$folder/echo.sock" &
    sleep 100000 | idle 7001 500 1 &
} >/dev/null 2>&1
say loaded
while :; do
    number=$((number + 1))
    deliver "$number"
    if [ $((number % 5)) = 0 ]; then
        kill -TERM "$daemon"
        wait "$daemon"
        start
    else
        verypollctl --socket "$control" --timeout 30 reload >/tmp/answer 2>&1
    fi && say "acknowledged $number" && continue
    tail -n 20 "$log" /tmp/answer
    fail power-deliver "delivery $number is not in effect"
done
