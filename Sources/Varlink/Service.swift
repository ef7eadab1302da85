/// A service and its interfaces.
///
/// It answers the calls of `org.varlink.service` and rejects calls of methods that do not exist. It
/// routes all other calls to the implementation of the method.
package struct Service: Sendable {
    /// The information that the service returns about itself.
    package struct Info: Codable, Hashable, Sendable {
        /// The vendor of the service.
        package let vendor: String
        /// The name of the product.
        package let product: String
        /// The version of the product.
        package let version: String
        /// The URL with more information.
        package let url: String
        /// The names of its interfaces.
        package let interfaces: [String]
    }

    /// The reply with the description of an interface.
    package struct InterfaceDescription: Codable, Hashable, Sendable {
        /// The description in Varlink's interface language.
        package let description: String
    }

    /// The destination of a call.
    package enum Route: Hashable, Sendable {
        /// The service itself: its information is the reply.
        case info(Info)
        /// The service itself: a description is the reply.
        case description(InterfaceDescription)
        /// The implementation of the method with this fully qualified name.
        case method(String)
    }

    /// The information that the service returns about itself.
    package let info: Info

    private let interfaces: [String: Interface]

    /// Creates a service with `interfaces`, to which it adds `org.varlink.service`.
    package init(
        vendor: String,
        product: String,
        version: String,
        url: String,
        interfaces: [Interface]
    ) throws(Interface.InvalidDescription) {
        let common = try Interface(description: ServiceInterface.description)
        let all = [common] + interfaces
        info = Info(
            vendor: vendor,
            product: product,
            version: version,
            url: url,
            interfaces: all.map(\.name)
        )
        self.interfaces = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Returns the destination of a call.
    ///
    /// - Throws: The error to reply with, if the method or interface does not exist, if the call
    ///   requests an upgrade of the connection, or if the parameters of a call to the service are
    ///   not valid.
    package func route(_ call: Call) throws(VarlinkError) -> Route {
        guard !call.interface.isEmpty else { throw .methodNotFound(call.method) }
        guard let interface = interfaces[String(call.interface)] else {
            throw .interfaceNotFound(String(call.interface))
        }
        guard interface.methods.contains(String(call.name)) else {
            throw .methodNotFound(call.method)
        }
        // No method supports an upgrade to another protocol, and a normal reply would confirm the
        // upgrade.
        guard call.mode != .upgrade else { throw .methodNotImplemented(call.method) }
        guard interface.name == ServiceInterface.name else { return .method(call.method) }
        guard call.name == "GetInterfaceDescription" else {
            _ = try call.parameters(as: NoParameters.self)
            return .info(info)
        }
        let query = try call.parameters(as: ServiceInterface.DescriptionQuery.self)
        guard let described = interfaces[query.interface] else {
            throw .interfaceNotFound(query.interface)
        }
        return .description(InterfaceDescription(description: described.description))
    }
}
