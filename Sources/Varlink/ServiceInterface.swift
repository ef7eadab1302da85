/// The interface of every service, which describes the service and its interfaces.
enum ServiceInterface {
    static let name = "org.varlink.service"

    static let description = """
        # Every Varlink service has this interface. It tells what the service is, and describes
        # the interfaces that it has.
        interface org.varlink.service

        # What the service is, and the names of all its interfaces, this one included.
        method GetInfo() -> (
          vendor: string,
          product: string,
          version: string,
          url: string,
          interfaces: []string
        )

        # The description of one interface, in the language that this text is written in.
        method GetInterfaceDescription(interface: string) -> (description: string)

        # The service lacks the interface.
        error InterfaceNotFound (interface: string)

        # The interface lacks the method.
        error MethodNotFound (method: string)

        # The interface has the method, but this service can't do it.
        error MethodNotImplemented (method: string)

        # A parameter is missing, unknown, of a wrong type or out of range.
        error InvalidParameter (parameter: string)

        # The caller may not do this.
        error PermissionDenied ()

        # The method works with the flag "more" only.
        error ExpectedMore ()

        # The method works with the flag "upgrade" only.
        error ExpectedUpgrade ()

        """

    struct DescriptionQuery: CallParameters {
        enum CodingKeys: CodingKey, CaseIterable {
            case interface
        }

        let interface: String
    }
}
