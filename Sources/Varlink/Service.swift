/// What a service is, and the interfaces that it has.
///
/// It answers the calls of `org.varlink.service` itself, and sorts out calls of what does not
/// exist; the rest goes to whoever implements the method.
package struct Service: Sendable {
    /// What the service says about itself.
    package struct Info: Codable, Hashable, Sendable {
        /// Who makes the service.
        package let vendor: String
        /// What it is called.
        package let product: String
        /// Its version.
        package let version: String
        /// Where more is to be found.
        package let url: String
        /// The names of its interfaces.
        package let interfaces: [String]
    }

    /// A description of an interface, as a reply.
    package struct InterfaceDescription: Codable, Hashable, Sendable {
        /// The text.
        package let description: String
    }

    /// Who is to answer a call.
    package enum Route: Hashable, Sendable {
        /// The service did: its information is the reply.
        case info(Info)
        /// The service did: a description is the reply.
        case description(InterfaceDescription)
        /// The implementation of this method, of which the name is fully qualified.
        case method(String)
    }

    /// What the service says about itself.
    package let info: Info

    private let interfaces: [String: Interface]

    /// Makes a service of what it says about itself and of its interfaces, the one that every
    /// service has not counted.
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

    /// Finds who is to answer a call.
    ///
    /// - Throws: The error to answer, if there is no such method or interface, if the call wants
    ///   to upgrade the connection, or if the parameters of a call to the service are wrong.
    package func route(_ call: Call) throws(VarlinkError) -> Route {
        guard !call.interface.isEmpty else { throw .methodNotFound(call.method) }
        guard let interface = interfaces[String(call.interface)] else {
            throw .interfaceNotFound(String(call.interface))
        }
        guard interface.methods.contains(String(call.name)) else {
            throw .methodNotFound(call.method)
        }
        // No method has another protocol to offer, and a plain reply would confirm the upgrade.
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
