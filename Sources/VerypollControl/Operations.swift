internal import Varlink

/// What is to be drained: the parameters of `Drain`.
package struct DrainRequest: CallParameters, Codable, Hashable {
    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case listener
        case deadline
    }

    package var listener: String?
    package var deadline: String?

    /// Makes the parameters; no listener stands for all.
    package init(listener: String? = nil, deadline: String? = nil) {
        self.listener = listener
        self.deadline = deadline
    }
}

/// What is to accept again: the parameters of `Resume`.
package struct ResumeRequest: CallParameters, Codable, Hashable {
    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case listener
    }

    package var listener: String?

    /// Makes the parameters; no listener stands for all.
    package init(listener: String? = nil) {
        self.listener = listener
    }
}

/// What a server is to get: the parameters of `SetServer`.
package struct ServerSetting: CallParameters, Codable, Hashable {
    /// The weights that a server may have.
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

    /// Makes the parameters; what is `nil` stays as it is.
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
