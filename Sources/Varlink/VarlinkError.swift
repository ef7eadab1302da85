package import StrictJSON

/// An error that a service returns for a call.
package struct VarlinkError: Error, Hashable, Sendable {
    /// The fully qualified name, such as `org.varlink.service.MethodNotFound`.
    package let name: String

    /// The parameters of the error.
    ///
    /// Many errors have none.
    package let parameters: [String: JSONValue]

    /// Creates an error from its fully qualified name.
    package init(name: String, parameters: [String: JSONValue] = [:]) {
        self.name = name
        self.parameters = parameters
    }

    /// Returns the parameter `key` if it is a string.
    package func string(_ key: String) -> String? {
        parameters[key]?.string
    }
}

/// The errors that every service may return.
extension VarlinkError {
    /// The service does not have the interface.
    package static func interfaceNotFound(_ interface: String) -> VarlinkError {
        service("InterfaceNotFound", ["interface": .string(interface)])
    }

    /// The interface does not have the method.
    package static func methodNotFound(_ method: String) -> VarlinkError {
        service("MethodNotFound", ["method": .string(method)])
    }

    /// The service does not implement the method, or not in the requested mode.
    package static func methodNotImplemented(_ method: String) -> VarlinkError {
        service("MethodNotImplemented", ["method": .string(method)])
    }

    /// A parameter is missing, unknown, of the wrong type or out of range.
    package static func invalidParameter(_ parameter: String) -> VarlinkError {
        service("InvalidParameter", ["parameter": .string(parameter)])
    }

    /// The caller is not allowed to call the method.
    package static let permissionDenied = service("PermissionDenied", [:])

    /// The method requires the flag `more`.
    package static let expectedMore = service("ExpectedMore", [:])

    private static func service(
        _ name: String,
        _ parameters: [String: JSONValue]
    ) -> VarlinkError {
        VarlinkError(name: "\(ServiceInterface.name).\(name)", parameters: parameters)
    }
}
