package import SystemPackage
internal import Verypoll

/// Descriptors that came from the process before, to be taken one by one; what is left closes.
package struct DescriptorList: ~Copyable {
    private var rest: ArraySlice<FileDescriptor>

    /// Owns these descriptors.
    package init(_ descriptors: [FileDescriptor]) {
        rest = descriptors[...]
    }

    deinit {
        for descriptor in rest { try? descriptor.close() }
    }

    /// Takes the next.
    ///
    /// - Throws: `Errno.badFileDescriptor` if none is left.
    mutating func next() throws(Errno) -> OwnedFD {
        guard let first = rest.popFirst() else { throw .badFileDescriptor }
        return OwnedFD(adopting: first)
    }

    /// Closes all, and breaks the connections among them, so that nobody takes this for their end.
    package consuming func reset() {
        while let first = rest.popFirst() {
            // What is no TCP connection closes.
            guard let stream = try? TCPStream(adopting: OwnedFD(adopting: first)) else { continue }
            stream.reset()
        }
    }
}
