internal import FoundationEssentials
internal import SystemPackage
internal import TestSupport

/// A client of the daemon's control socket that implements no more of Varlink than that a message
/// is one JSON object and a NUL byte.
struct ControlPeer: ~Copyable {
    /// A reply as received.
    struct Reply<Parameters: Decodable>: Decodable {
        var parameters: Parameters?
        var error: String?
    }

    /// The parameters that an error may have.
    struct ErrorParameters: Decodable {
        var parameter: String?
        var method: String?
        var interface: String?
        var listener: String?
        var id: Int?
    }

    let client: Client
    private var received: [UInt8] = []

    /// Connects to the control socket at `path`.
    init(path: String) throws(Errno) {
        client = try Client(path: path)
    }

    /// Releases the connection to another owner.
    consuming func give() -> Client { client }

    /// Returns a call as it is sent over the socket.
    static func message(_ method: String, _ parameters: String = "{}", flags: String = "") -> String
    {
        #"{"method": "\#(method)", "parameters": \#(parameters)\#(flags)}"# + "\0"
    }

    /// Waits for a message and returns it without its NUL; nil at end of file.
    mutating func receive() throws -> [UInt8]? {
        while true {
            if let end = received.firstIndex(of: 0) {
                let message = Array(received[..<end])
                received.removeSubrange(...end)
                return message
            }
            let bytes = try client.receive()
            if bytes.isEmpty { return nil }
            received += bytes
        }
    }

    /// Waits for a reply.
    mutating func reply<Parameters: Decodable>(
        _ type: Parameters.Type = Parameters.self
    ) throws -> Reply<Parameters> {
        guard let message = try receive() else { throw Errno.connectionReset }
        return try JSONDecoder().decode(Reply<Parameters>.self, from: Data(message))
    }

    /// Calls a method and returns its result; throws the method's error.
    mutating func result<Parameters: Decodable>(
        _ method: String,
        _ parameters: String = "{}"
    ) throws -> Parameters {
        try client.send(Self.message(method, parameters))
        let reply = try reply(Parameters.self)
        guard let parameters = reply.parameters, reply.error == nil else {
            throw Refusal(error: reply.error ?? "no parameters")
        }
        return parameters
    }

    /// Calls a method that must fail or return nothing, and returns the reply.
    mutating func call(
        _ method: String,
        _ parameters: String = "{}"
    ) throws -> Reply<ErrorParameters> {
        try client.send(Self.message(method, parameters))
        return try reply()
    }

    /// An error that a method returned.
    struct Refusal: Error, Hashable {
        let error: String
    }
}
