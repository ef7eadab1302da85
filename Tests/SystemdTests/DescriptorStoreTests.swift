import SystemPackage
import Systemd
import TestSupport
import Testing

// The service manager passes its settings in the environment, so each test runs in its own process.
@Suite("DescriptorStore")
struct DescriptorStoreTests {
    @Test("descriptors are stored in messages of up to 253, each with its name, and are not polled")
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

    @Test("waiting for a barrier ends at the timeout if the manager does not lift it")
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

    @Test("the capacity comes from the manager, else from the unit, else it is zero")
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
