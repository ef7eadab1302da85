import SystemPackage
import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("DescriptorReserve")
struct DescriptorReserveTests {
    private func reserve() throws -> DescriptorReserve {
        try DescriptorReserve(descriptorLimit: 1024)
    }

    @Test("each purpose has its own, and gets no more than that")
    func lends() throws {
        let reserve = try reserve()
        #expect(!reserve.isShort)
        for _ in 0..<4 {
            #expect(reserve.lend(for: .control, after: .tooManyOpenFiles))
            #expect(reserve.isShort)
        }
        #expect(!reserve.lend(for: .control, after: .tooManyOpenFiles))
        #expect(reserve.lend(for: .metrics, after: .tooManyOpenFilesInSystem))
        reserve.refill()
        #expect(!reserve.isShort)
        #expect(reserve.lend(for: .control))
    }

    @Test("nothing is lent for an error that a descriptor would not mend")
    func refuses() throws {
        let reserve = try reserve()
        for error: Errno in [.connectionRefused, .noMemory, .connectionAbort] {
            #expect(!reserve.lend(for: .control, after: error))
        }
        #expect(!reserve.isShort)
    }

    @Test("what fails for want of a descriptor is tried again with one, as long as there are some")
    func attempts() throws {
        let reserve = try reserve()
        var calls = 0
        let value = try reserve.attempt { () throws(Errno) in
            calls += 1
            if calls == 2 { return "done" }
            throw .tooManyOpenFiles
        }
        #expect(value == "done")
        #expect(!reserve.isShort)
        calls = 0
        #expect(throws: Errno.tooManyOpenFiles) {
            try reserve.attempt { () throws(Errno) in
                calls += 1
                throw .tooManyOpenFiles
            }
        }
        #expect(calls == 3)
        #expect(throws: Errno.brokenPipe) {
            try reserve.attempt { () throws(Errno) in throw .brokenPipe }
        }
    }

    @Test("a low limit leaves room for others, and for each purpose there is one at least")
    func scales() {
        #expect(DescriptorReserve.sizes(descriptorLimit: 1 << 20) == [4, 4, 2])
        #expect(DescriptorReserve.sizes(descriptorLimit: 64) == [2, 2, 1])
        #expect(DescriptorReserve.sizes(descriptorLimit: 1) == [1, 1, 1])
    }
}
