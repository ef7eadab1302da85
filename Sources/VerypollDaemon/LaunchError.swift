/// The reason why the daemon cannot start or continue, other than an invalid configuration.
package struct LaunchError: Error, CustomStringConvertible {
    package let description: String
}
