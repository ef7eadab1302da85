package import SystemPackage
internal import Verypoll

/// Descriptors from the previous process, to be taken one by one; those not taken are closed.
package struct DescriptorList: ~Copyable {
    private var rest: ArraySlice<FileDescriptor>

    /// Takes ownership of the descriptors.
    package init(_ descriptors: [FileDescriptor]) {
        rest = descriptors[...]
    }

    deinit {
        for descriptor in rest { try? descriptor.close() }
    }

    /// Returns the next descriptor.
    ///
    /// - Throws: `Errno.badFileDescriptor` if none is left.
    mutating func next() throws(Errno) -> OwnedFD {
        guard let first = rest.popFirst() else { throw .badFileDescriptor }
        return OwnedFD(adopting: first)
    }

    /// Closes all descriptors and resets the TCP connections among them, so that no peer mistakes
    /// this for a normal end.
    package consuming func reset() {
        while let first = rest.popFirst() {
            // Adopting fails for anything but a TCP socket, and closes it.
            guard let stream = try? TCPStream(adopting: OwnedFD(adopting: first)) else { continue }
            stream.reset()
        }
    }
}
