import SystemPackage
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("Channel")
struct ChannelTests {
    @Test(
        "all bytes of a random schedule pass, copied, spliced or both in turn",
        arguments: [0, 1, 64],
        Sides.all
    )
    func passesAll(pipes: Int, sides: Sides) throws {
        var stalledPipes = 0
        for seed in 0..<25 as Range<UInt64> {
            var relay = try Relay(seed: seed, sides: sides, pipes: pipes)
            try relay.run()
            stalledPipes += relay.stalledPipes
            let isWhole = relay.isWhole
            try #require(isWhole, "seed \(seed)")
        }
        // Bytes that wait without a buffer wait in a pipe.
        #expect((stalledPipes > 0) == (pipes > 0))
    }

    @Test("all bytes pass even if pipes and buffers are short at times", arguments: Sides.all)
    func passesInNeed(sides: Sides) throws {
        var starvations = 0
        for seed in 100..<125 as Range<UInt64> {
            var relay = try Relay(seed: seed, sides: sides, pipes: 1)
            relay.takesBuffers = true
            try relay.run()
            starvations += relay.starvations
            let isWhole = relay.isWhole
            try #require(isWhole, "seed \(seed)")
        }
        #expect(starvations > 0)
    }
}

/// A channel between two sockets; a random schedule acts on their peers.
private struct Relay: ~Copyable {
    /// Whether the test takes the pool's buffers now and then.
    var takesBuffers = false
    /// How often bytes waited in a pipe.
    private(set) var stalledPipes = 0
    /// How often the channel lacked a buffer.
    private(set) var starvations = 0

    private var generator: Generator
    private let size: Int
    private var sent = 0
    private var received = 0
    private var isEqual = true
    private var hasEnded = false

    private var poll: Poll
    private var events = Events(capacity: 4)
    private var context: ServeContext
    private var buffers = TakenBuffers()
    private var channel = Channel()
    private var source: Endpoint
    private var sink: Endpoint
    private let sender: SessionSocket
    private let receiver: SessionSocket

    init(seed: UInt64, sides: Sides, pipes: Int) throws {
        var generator = Generator(state: seed)
        size = Int.random(in: 0...(3 << 20), using: &generator)
        self.generator = generator
        let poll = try Poll()
        let from = try SocketPair(sides.client)
        let to = try SocketPair(sides.server, sendBuffer: 1 << 17)
        try from.near.register(with: poll.registry, token: Token(0), forOutput: true)
        try to.near.register(with: poll.registry, token: Token(1), forOutput: true)
        context = ServeContext(splicePipes: SplicePipePool(limit: pipes), now: 0)
        source = Endpoint(from.near)
        sink = Endpoint(to.near)
        sender = from.far
        receiver = to.far
        self.poll = poll
    }

    /// Whether all bytes arrived in order, followed by the end of file.
    var isWhole: Bool { isEqual && hasEnded && received == size && context.pool.inUse == 0 }

    /// Runs the schedule until the end of file has arrived.
    mutating func run() throws {
        var isPumped = true
        var isLarge = true
        while !hasEnded {
            // The amounts are large for a while, and then small for a while.
            if generator.next() % 64 == 0 { isLarge.toggle() }
            var isMoved = false
            if generator.next() % 2 == 0 { isMoved = try send(isLarge: isLarge) }
            if takesBuffers, generator.next() % 4 == 0 { takeBuffers() }
            if generator.next() % 2 == 0 { isMoved = try receive() || isMoved }
            let rests = isPumped && !isMoved && sent == size && received < size
            // Only the edges of events say what there is to do.
            try poll.poll(&events, timeout: rests ? .milliseconds(1) : .zero)
            for event in events {
                if event.token == Token(0) { source.note(event) } else { sink.note(event) }
            }
            isPumped = try pump()
        }
        buffers.give(to: &context.pool)
    }

    private mutating func takeBuffers() {
        if generator.next() % 2 == 0 {
            buffers.give(to: &context.pool)
        } else {
            buffers.take(from: &context.pool, leaving: Int(generator.next() % 2))
        }
    }

    private mutating func send(isLarge: Bool) throws(Errno) -> Bool {
        guard sent < size else { return false }
        let limit = isLarge ? 1 << 20 : 2000
        let count = Int.random(in: 1...min(limit, size - sent), using: &generator)
        sent += try sender.sendNoise(count, at: sent) ?? 0
        if sent == size { try sender.shutdownWriting() }
        return true
    }

    private mutating func receive() throws -> Bool {
        let limit = Int.random(in: 1...300_000, using: &generator)
        guard let bytes = try receiver.receiveNow(atMost: limit) else { return false }
        isEqual = isEqual && Noise.isSlice(bytes, at: 0, offset: received)
        received += bytes.count
        hasEnded = bytes.isEmpty
        return true
    }

    /// Pumps once; returns whether the channel has nothing more to do.
    private mutating func pump() throws(Errno) -> Bool {
        let flow = try channel.pump(from: &source, to: &sink, in: &context)
        if !channel.isEmpty, channel.parked == nil { stalledPipes += 1 }
        switch flow {
        case .again: return false
        case .starved:
            starvations += 1
            buffers.give(to: &context.pool)
            return false
        case .idle: break
        }
        if source.flags.contains(.inputEnded), channel.isEmpty, !sink.flags.contains(.outputEnded) {
            try sink.endOutput()
        }
        return true
    }
}
