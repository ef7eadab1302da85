internal import SystemPackage
internal import Verypoll

extension Session {
    /// The result of reading the PROXY header at the beginning of a session.
    enum HeaderStep {
        case incomplete
        /// The calls of this turn are used up, and there is more to read.
        case again
        case complete
        case end(EndReason)
    }

    /// Reads the header if all of it has arrived, and takes the addresses from it.
    ///
    /// An incomplete header is peeked at and left in the kernel's buffer, so that a client that
    /// sends half a header occupies no buffer here. A header that may not fit into the kernel's
    /// buffer is read as it arrives, and its bytes are not kept.
    mutating func readHeader(in context: inout ServeContext) -> HeaderStep {
        guard client.flags.contains(.inputReady) else { return .incomplete }
        defer { context.scratch.removeAll() }
        if let reading = longHeader { return readLongHeader(reading, in: &context) }
        do throws(Errno) {
            let count = try context.scratch.append { output throws(Errno) in
                try client.socket.peek(into: &output)
            }
            guard let count else {
                client.flags.remove(.inputReady)
                return .incomplete
            }
            // A connection without any bytes, such as a load balancer's check that the port is
            // open.
            if count == 0 { return .end(.completed) }
            switch context.scratch.withBytes(ProxyHeader.parse) {
            case .malformed(let reason): return .end(.malformedHeader(reason))
            case .complete(let header, let byteCount):
                context.scratch.removeAll()
                try skip(byteCount, in: &context)
                take(header, in: &context)
                return .complete
            case .incomplete:
                if let long = context.scratch.withBytes(ProxyHeader.long) {
                    context.scratch.removeAll()
                    let reading = LongHeaderReading(long)
                    longHeader = reading
                    return readLongHeader(reading, in: &context)
                }
                client.flags.remove(.inputReady)
                return client.flags.contains(.endIsBehind)
                    ? .end(.malformedHeader(.length)) : .incomplete
            }
        } catch {
            client.failInput()
            return .end(.failed(error))
        }
    }

    /// Reads the bytes of a long header that have arrived, within a bounded number of system calls.
    private mutating func readLongHeader(
        _ reading: LongHeaderReading,
        in context: inout ServeContext
    ) -> HeaderStep {
        do throws(Errno) {
            for _ in 0..<ServeContext.callsPerTurn {
                let rest = reading.header.remaining
                let count = try context.scratch.append(atMost: rest) { output throws(Errno) in
                    try client.socket.read(into: &output)
                }
                guard let count else {
                    client.flags.remove(.inputReady)
                    return .incomplete
                }
                if count == 0 { return .end(.malformedHeader(.length)) }
                if let reason = context.scratch.withBytes({ reading.header.read($0) }) {
                    return .end(.malformedHeader(reason))
                }
                context.scratch.removeAll()
                guard reading.header.remaining > 0 else {
                    longHeader = nil
                    take(reading.header.header, in: &context)
                    return .complete
                }
            }
            return .again
        } catch {
            client.failInput()
            return .end(.failed(error))
        }
    }

    /// Consumes the bytes that the session has peeked at.
    mutating func skip(_ byteCount: Int, in context: inout ServeContext) throws(Errno) {
        while context.scratch.count < byteCount {
            let rest = byteCount - context.scratch.count
            let count = try context.scratch.append(atMost: rest) { output throws(Errno) in
                try client.socket.read(into: &output)
            }
            guard let count, count > 0 else { throw .connectionReset }
        }
    }

    private mutating func take(_ header: ProxyHeader, in context: inout ServeContext) {
        guard case .tcp(let source, let destination) = header.origin else { return }
        headerAddresses = context.headerAddresses.take(sender: peer, destination: destination)
        peer = source
    }

    /// The PROXY header to send to a server.
    var outgoingHeader: ProxyHeader {
        switch client.socket {
        case .tcp(let stream):
            guard let peer, let local = destination ?? (try? stream.localAddress()) else { break }
            return ProxyHeader(.tcp(source: peer, destination: local))
        case .unix(let stream):
            guard let local = try? stream.localAddress() else { break }
            return ProxyHeader(.unix(source: .unnamed, destination: local))
        // The protocol has no form for vsock addresses.
        case .vsock: break
        case .none: break
        }
        return ProxyHeader(.local)
    }
}

/// A long PROXY header that a session is reading; an object, because few sessions have one and the
/// others then store only a reference.
final class LongHeaderReading {
    var header: LongProxyHeader

    init(_ header: LongProxyHeader) {
        self.header = header
    }
}
