import SystemPackage
import Systemd
import TestSupport
import Testing

// The service manager passes its settings in the environment, so each test runs in its own process.
@Suite("DescriptorStore")
struct DescriptorStoreTests {
    @Test("descriptors go in messages of 253 at most, each with the name, and are not polled")
    func adds() async {
        await #expect(processExitsWith: .success) {
            let socket = try NotificationSocket()
            setVariable("NOTIFY_SOCKET", socket.path)
            let store = DescriptorStore()
            let many = Array(repeating: FileDescriptor.standardError, count: 254)
            try store.add(many, named: "sessions")
            let message = ["FDSTORE=1", "FDPOLL=0", "FDNAME=sessions"]
            #expect(try socket.receive() == message)
            #expect(try socket.receive() == message)
            try store.remove(named: "sessions")
            #expect(try socket.receive() == ["FDSTOREREMOVE=1", "FDNAME=sessions"])
        }
    }

    @Test("a barrier that the manager does not lift is not waited for longer than asked")
    func limitsBarrier() async {
        await #expect(processExitsWith: .success) {
            let socket = try NotificationSocket()
            setVariable("NOTIFY_SOCKET", socket.path)
            #expect(throws: Errno.timedOut) {
                try DescriptorStore().barrier(within: .milliseconds(10))
            }
            #expect(try socket.receive() == ["BARRIER=1"])
        }
    }

    @Test("the capacity is what the manager says, else what the unit says, else nothing")
    func tellsCapacity() async {
        await #expect(processExitsWith: .success) {
            setVariable("NOTIFY_SOCKET", nil)
            setVariable("FDSTORE", "7")
            setVariable("VERYPOLLD_FDSTORE", nil)
            #expect(DescriptorStore().capacity == 0)
            setVariable("NOTIFY_SOCKET", "@somewhere")
            #expect(DescriptorStore().capacity == 7)
            setVariable("VERYPOLLD_FDSTORE", "9")
            #expect(DescriptorStore().capacity == 7)
            setVariable("FDSTORE", nil)
            #expect(DescriptorStore().capacity == 9)
            setVariable("VERYPOLLD_FDSTORE", "-1")
            #expect(DescriptorStore().capacity == 0)
        }
    }
}
