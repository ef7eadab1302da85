package import StrictJSON

/// An error that a service answers a call with.
package struct VarlinkError: Error, Hashable, Sendable {
    /// The interface and the error, as in `org.varlink.service.MethodNotFound`.
    package let name: String

    /// What the error tells; many tell nothing.
    package let parameters: [String: JSONValue]

    /// Makes an error of its fully qualified name.
    package init(name: String, parameters: [String: JSONValue] = [:]) {
        self.name = name
        self.parameters = parameters
    }

    /// The string among the parameters that is called `key`.
    package func string(_ key: String) -> String? {
        parameters[key]?.string
    }
}

/// The errors that every service may answer.
extension VarlinkError {
    /// The service lacks the interface.
    package static func interfaceNotFound(_ interface: String) -> VarlinkError {
        service("InterfaceNotFound", ["interface": .string(interface)])
    }

    /// The interface lacks the method.
    package static func methodNotFound(_ method: String) -> VarlinkError {
        service("MethodNotFound", ["method": .string(method)])
    }

    /// The interface has the method, but this service can't do it, or not in the way asked for.
    package static func methodNotImplemented(_ method: String) -> VarlinkError {
        service("MethodNotImplemented", ["method": .string(method)])
    }

    /// A parameter is missing, unknown, of a wrong type or out of range.
    package static func invalidParameter(_ parameter: String) -> VarlinkError {
        service("InvalidParameter", ["parameter": .string(parameter)])
    }

    /// The caller may not do this.
    package static let permissionDenied = service("PermissionDenied", [:])

    /// The method works with the flag `more` only.
    package static let expectedMore = service("ExpectedMore", [:])

    private static func service(
        _ name: String,
        _ parameters: [String: JSONValue]
    ) -> VarlinkError {
        VarlinkError(name: "\(ServiceInterface.name).\(name)", parameters: parameters)
    }
}
