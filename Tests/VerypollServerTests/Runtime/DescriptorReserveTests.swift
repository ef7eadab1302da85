import SystemPackage
import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("DescriptorReserve")
struct DescriptorReserveTests {
    private func reserve() throws -> DescriptorReserve {
        try DescriptorReserve(descriptorLimit: 1024)
    }

    @Test("each purpose has its own descriptors and gets no more")
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

    @Test("nothing is lent for an error that another descriptor would not prevent")
    func refuses() throws {
        let reserve = try reserve()
        for error: Errno in [.connectionRefused, .noMemory, .connectionAbort] {
            #expect(!reserve.lend(for: .control, after: error))
        }
        #expect(!reserve.isShort)
    }

    @Test("a body that lacks a descriptor is repeated while the reserve has some")
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

    @Test("a low limit makes the reserve smaller, with at least one for each purpose")
    func scales() {
        #expect(DescriptorReserve.sizes(descriptorLimit: 1 << 20) == [4, 4, 2])
        #expect(DescriptorReserve.sizes(descriptorLimit: 64) == [2, 2, 1])
        #expect(DescriptorReserve.sizes(descriptorLimit: 1) == [1, 1, 1])
    }
}
