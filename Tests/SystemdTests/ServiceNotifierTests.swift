import Glibc
import SystemPackage
import Systemd
import TestSupport
import Testing

// The service manager passes its settings in the environment, so most tests run in their own
// process.
@Suite("ServiceNotifier")
struct ServiceNotifierTests {
    @Test("each message is one datagram that contains only its own assignments")
    func sends() async {
        await #expect(processExitsWith: .success) {
            let socket = try NotificationSocket()
            setVariable("NOTIFY_SOCKET", socket.path)
            let notifier = ServiceNotifier()

            try notifier.ready(status: "2 listeners, 14 sessions")
            #expect(try socket.receive() == ["READY=1", "STATUS=2 listeners, 14 sessions"])
            try notifier.status("1 listener")
            #expect(try socket.receive() == ["STATUS=1 listener"])
            try notifier.watchdog()
            #expect(try socket.receive() == ["WATCHDOG=1"])
            try notifier.extendTimeout(by: .milliseconds(1500))
            #expect(try socket.receive() == ["EXTEND_TIMEOUT_USEC=1500000"])
            try notifier.stopping(status: "3 sessions left")
            #expect(try socket.receive() == ["STOPPING=1", "STATUS=3 sessions left"])
        }
    }

    @Test("a reload notification carries the monotonic time in microseconds")
    func reloads() async {
        await #expect(processExitsWith: .success) {
            let socket = try NotificationSocket()
            setVariable("NOTIFY_SOCKET", socket.path)
            var times: [Int64] = []
            for _ in 0..<2 {
                try ServiceNotifier().reloading(status: "reading")
                let message = try socket.receive()
                #expect(message.first == "RELOADING=1")
                #expect(message.last == "STATUS=reading")
                let time = try #require(message.dropFirst().first?.split(separator: "=").last)
                try times.append(#require(Int64(time)))
            }
            var now = timespec()
            unsafe clock_gettime(CLOCK_MONOTONIC, &now)
            let after = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
            #expect(0 < times[0] && times[0] <= times[1] && times[1] <= after)
        }
    }

    @Test("a line break in a status cannot add another assignment")
    func staysInLine() async {
        await #expect(processExitsWith: .success) {
            let socket = try NotificationSocket()
            setVariable("NOTIFY_SOCKET", socket.path)
            try ServiceNotifier().status("a\nWATCHDOG=trigger\r\nb")
            #expect(try socket.receive() == ["STATUS=a WATCHDOG=trigger b"])
        }
    }

    @Test("without a service manager nothing is sent, and no call fails")
    func stays() async {
        await #expect(processExitsWith: .success) {
            setVariable("NOTIFY_SOCKET", nil)
            setVariable("WATCHDOG_USEC", nil)
            let notifier = ServiceNotifier()
            try notifier.ready(status: "")
            #expect(try notifier.watchdogInterval() == nil)
        }
    }

    @Test("notifying a socket that no longer exists is an error")
    func fails() async {
        await #expect(processExitsWith: .success) {
            setVariable("NOTIFY_SOCKET", "/nonexistent/notify")
            #expect(throws: Errno.noSuchFileOrDirectory) { try ServiceNotifier().watchdog() }
        }
    }

    @Test("the watchdog interval applies only to the process that it names")
    func reads() async {
        await #expect(processExitsWith: .success) {
            let notifier = ServiceNotifier()
            setVariable("WATCHDOG_USEC", "30000000")
            setVariable("WATCHDOG_PID", String(getpid()))
            let interval = try notifier.watchdogInterval()
            #expect(interval == .seconds(30))
            setVariable("WATCHDOG_PID", "1")
            #expect(try notifier.watchdogInterval() == nil)
            setVariable("WATCHDOG_PID", nil)
            setVariable("WATCHDOG_USEC", "soon")
            #expect(throws: Errno.invalidArgument) { try notifier.watchdogInterval() }
        }
    }
}
