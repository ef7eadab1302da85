import Foundation
import SystemPackage
import TestSupport
import Verypoll
import VerypollAsync

/// One end of a session: it sends, receives and compares what its plan says.
struct SessionEnd: Sendable {
    let stream: Shared<AsyncTCPStream>
    let plan: EndPlan
    /// The plan of the other end, whose bytes this end receives.
    let other: EndPlan
    let seed: UInt64

    private enum News: Sendable {
        case sent
        case mustReset
        case ended
        case failed(String)
        case broken
    }

    /// Runs the end, and returns a description of what was not as it should be.
    func run(mayBreak: Bool) async -> String? {
        await withTaskGroup(of: News.self) { group in
            let end = AsyncFlag()
            group.addTask { await write(after: end) }
            group.addTask { await read(then: end) }
            var problem: String?
            for await news in group {
                switch news {
                case .sent, .ended: continue
                case .mustReset:
                    resetWhenClosed()
                    group.cancelAll()
                case .broken:
                    if !mayBreak { problem = problem ?? "the connection broke" }
                    group.cancelAll()
                case .failed(let text):
                    problem = problem ?? text
                    group.cancelAll()
                }
            }
            return problem
        }
    }

    private func write(after end: AsyncFlag) async -> News {
        var random = Generator(state: seed)
        do throws(Errno) {
            if plan.hasSmallBuffer { try stream.value.socket.setSendBufferSize(1) }
            if plan.waitsForEnd { await end.wait() }
            var sent = 0
            let limit = plan.resetsAfter ?? plan.count
            while sent < limit {
                let count = min(.random(in: 1...plan.writeStep, using: &random), limit - sent)
                let bytes = [UInt8].noise(count, at: plan.start + sent)
                let cut = Int.random(in: 0...count, using: &random)
                let deadline = Deadline.now + patience
                switch Int.random(in: 0..<3, using: &random) {
                case 0: sent += try await stream.value.write(bytes.span, until: deadline)
                case 1:
                    try await stream.value.writeAll(bytes, until: deadline)
                    sent += count
                default:
                    let (head, tail) = (Array(bytes[..<cut]), Array(bytes[cut...]))
                    try await stream.value.writeAll(head.span, tail.span, until: deadline)
                    sent += count
                }
                await rest(&random)
            }
            if plan.resetsAfter != nil { return .mustReset }
            try stream.value.shutdown(.write)
            return .sent
        } catch {
            return news(of: error, while: "writing")
        }
    }

    private func read(then end: AsyncFlag) async -> News {
        defer { end.set() }
        var random = Generator(state: ~seed)
        var received = 0
        do throws(Errno) {
            while true {
                let bytes = try await stream.value.readOnce(
                    room: .random(in: 1...plan.readStep, using: &random),
                    until: .now + patience
                )
                if bytes.isEmpty { break }
                guard received + bytes.count <= other.count,
                    Noise.isSlice(bytes, at: other.start, offset: received)
                else { return .failed("wrong bytes after \(received)") }
                received += bytes.count
                await rest(&random)
            }
        } catch {
            return news(of: error, while: "reading, after \(received) of \(other.count)")
        }
        if received == other.count { return .ended }
        let isBroken = other.resetsAfter != nil || plan.resetsAfter != nil
        return isBroken ? .broken : .failed("the end came after \(received) of \(other.count)")
    }

    private func news(of error: Errno, while activity: String) -> News {
        switch error {
        case .connectionReset, .brokenPipe, .socketNotConnected, .canceled: .broken
        default: .failed("\(error) while \(activity)")
        }
    }

    private func rest(_ random: inout Generator) async {
        for _ in 0..<Int.random(in: 0...plan.yields, using: &random) { await Task.yield() }
    }

    /// Makes the close of the socket a reset.
    private func resetWhenClosed() {
        var lingering = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        let number = stream.value.socket.fileDescriptor.rawValue
        _ = unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &lingering, size)
    }
}
