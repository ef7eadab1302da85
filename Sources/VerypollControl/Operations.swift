internal import Varlink

/// The parameters of `Drain`.
package struct DrainRequest: CallParameters, Codable, Hashable {
    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case listener
        case deadline
    }

    package var listener: String?
    package var deadline: String?

    /// Makes the parameters; without a listener, they mean all listeners.
    package init(listener: String? = nil, deadline: String? = nil) {
        self.listener = listener
        self.deadline = deadline
    }
}

/// The parameters of `Resume`.
package struct ResumeRequest: CallParameters, Codable, Hashable {
    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case listener
    }

    package var listener: String?

    /// Makes the parameters; without a listener, they mean all listeners.
    package init(listener: String? = nil) {
        self.listener = listener
    }
}

/// The parameters of `SetServer`.
package struct ServerSetting: CallParameters, Codable, Hashable {
    /// The valid weights of a server.
    package static let weights = 1...1000

    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case upstream
        case server
        case state
        case weight
    }

    package var upstream: String
    package var server: String
    package var state: Status.Server.Mode?
    package var weight: Int?

    /// Makes the parameters; a state or weight of `nil` does not change.
    package init(
        upstream: String,
        server: String,
        state: Status.Server.Mode? = nil,
        weight: Int? = nil
    ) {
        self.upstream = upstream
        self.server = server
        self.state = state
        self.weight = weight
    }
}
