/// The interface of every service, which describes the service and its interfaces.
enum ServiceInterface {
    static let name = "org.varlink.service"

    static let description = """
        # Every Varlink service has this interface. The methods return information about the service
        # and the descriptions of its interfaces.
        interface org.varlink.service

        # Returns information about the service, and the names of all its interfaces.
        method GetInfo() -> (
          vendor: string,
          product: string,
          version: string,
          url: string,
          interfaces: []string
        )

        # Returns the description of an interface in Varlink's interface definition language.
        method GetInterfaceDescription(interface: string) -> (description: string)

        # The service does not have the interface.
        error InterfaceNotFound (interface: string)

        # The interface does not have the method.
        error MethodNotFound (method: string)

        # The service does not implement the method.
        error MethodNotImplemented (method: string)

        # A parameter is missing, unknown, of the wrong type or out of range.
        error InvalidParameter (parameter: string)

        # The caller is not allowed to call the method.
        error PermissionDenied ()

        # The method requires the flag "more".
        error ExpectedMore ()

        # The method requires the flag "upgrade".
        error ExpectedUpgrade ()

        """

    struct DescriptionQuery: CallParameters {
        enum CodingKeys: CodingKey, CaseIterable {
            case interface
        }

        let interface: String
    }
}
